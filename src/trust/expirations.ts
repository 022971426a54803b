// Lists the expiry times of credentials in a home or in files.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadCredsFile } from '../creds/parse.js';
import { ZesterError } from '../errors.js';
import { decodeAccountJwt, decodeOperatorJwt } from '../jwt/decode.js';
import type { TrustDomain } from './domain.js';
import { pathExists } from './private-files.js';
import { expiryTime } from '../jwt/expiry.js';
import { readIssued } from './issued.js';

/** A JWT or credential, and its expiry time, if any. */
export interface Expiration {
  what: 'operator' | 'account' | 'credentials' | 'issued' | 'peel';
  name: string;
  publicKey: string;
  /** The file; undefined: elsewhere (issued from the home, or by a master). */
  path: string | undefined;
  /** Milliseconds since 1970; undefined: never. */
  expiresAt: number | undefined;
}

/** A file that is not a valid `.creds` file. */
export interface Unreadable {
  path: string;
  error: ZesterError;
}

/**
 * Lists the expiry times of the home's JWTs and credentials, of credentials issued from it, and of `.creds` files;
 * earliest first, "never" last.
 *
 * @param domain absent: only the files
 * @param files `.creds` files, and directories that contain them
 */
export async function listExpirations(
  domain: TrustDomain | undefined,
  files: readonly string[] = [],
): Promise<{ expirations: Expiration[]; unreadable: Unreadable[] }> {
  const paths = await credsFilesIn(files);
  const expirations: Expiration[] = [];
  const unreadable: Unreadable[] = [];
  if (domain !== undefined) {
    const { masterCreds, masterAnswersCreds, adminCreds, systemCreds } = domain.paths;
    const others: string[] = [];
    for (const path of [masterAnswersCreds, adminCreds]) if (pathExists(path)) others.push(path);
    paths.unshift(masterCreds, ...others, systemCreds);
    expirations.push(...homeJwts(domain));
  }
  for (const path of new Set(paths)) {
    try {
      const creds = await loadCredsFile(path);
      creds.wipe();
      const { claims, publicKey } = creds;
      expirations.push({
        what: 'credentials',
        name: claims.name ?? '',
        publicKey,
        path,
        expiresAt: expiryTime(claims),
      });
    } catch (error) {
      if (!(error instanceof ZesterError)) throw error;
      unreadable.push({ path, error });
    }
  }
  if (domain !== undefined) expirations.push(...(await issuedElsewhere(domain, expirations)));
  return { expirations: sorted(expirations), unreadable };
}

/** Sorts by expiry, earliest first, "never" last. */
export function sorted<T extends Pick<Expiration, 'expiresAt' | 'name'>>(expirations: readonly T[]): T[] {
  return expirations.toSorted(
    (a, b) => (a.expiresAt ?? Infinity) - (b.expiresAt ?? Infinity) || (a.name < b.name ? -1 : 1),
  );
}

function homeJwts(domain: TrustDomain): Expiration[] {
  const { paths } = domain;
  const operator = decodeOperatorJwt(domain.operatorJwt);
  const accounts = [
    [paths.systemAccountJwt, decodeAccountJwt(domain.systemAccountJwt)],
    [paths.accountJwt, decodeAccountJwt(domain.accountJwt)],
  ] as const;
  return [
    {
      what: 'operator',
      name: operator.name ?? '',
      publicKey: operator.sub,
      path: paths.operatorJwt,
      expiresAt: expiryTime(operator),
    },
    ...accounts.map(([path, claims]): Expiration => ({
      what: 'account',
      name: claims.name ?? '',
      publicKey: claims.sub,
      path,
      expiresAt: expiryTime(claims),
    })),
  ];
}

/** The newest credential of each peel, which replaced the earlier ones. */
async function issuedElsewhere(domain: TrustDomain, known: readonly Expiration[]): Promise<Expiration[]> {
  const seen = new Set(known.map(({ publicKey }) => publicKey));
  const newest = new Map((await readIssued(domain.paths.issued)).map((peel) => [peel.peelId, peel]));
  return [...newest.values()]
    .filter(({ publicKey }) => !seen.has(publicKey))
    .map(({ peelId, publicKey, expiresAt }) => ({
      what: 'issued',
      name: peelId,
      publicKey,
      path: undefined,
      expiresAt: expiryTime({ exp: expiresAt }),
    }));
}

async function credsFilesIn(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const isDirectory = await stat(path).then(
      (stats) => stats.isDirectory(),
      () => false, // reported as unreadable later
    );
    if (!isDirectory) found.push(path);
    else {
      const names = await readdir(path);
      found.push(...names.filter((name) => name.endsWith('.creds')).map((name) => join(path, name)));
    }
  }
  return found;
}
