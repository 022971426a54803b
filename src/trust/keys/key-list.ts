// Lists the keys of a trust domain.
import { stat } from 'node:fs/promises';
import { loadKeyBundleFromFile } from '../../creds/load-key-bundle.js';
import { loadCredsFile } from '../../creds/parse.js';
import { ZesterError } from '../../errors.js';
import { decodeAccountJwt, decodeOperatorJwt } from '../../jwt/decode.js';
import { masterKeyKindOf, type MasterKeyKind } from '../../permissions/master-roles.js';
import { labelOf } from '../../permissions/master-label.js';
import type { Role } from '../../nkeys/roles.js';
import { addedSeedPath, firstSeedPath, type SigningKeyKind, type TrustPaths } from '../paths.js';
import type { TrustDomain } from '../domain.js';
import { readIssued } from '../issued.js';
import { kindOfSigningKey } from './signing-keys.js';

/** A key of a trust domain, without its secret. */
export interface KeyEntry {
  role:
    | 'operator identity'
    | 'operator signing'
    | 'account identity'
    | 'peel signing'
    | 'join signing'
    /** Signs the users of masters and admins. */
    | 'master signing'
    | 'answers signing'
    | 'admin signing'
    /** Signs a master's user of the system account. */
    | 'system signing'
    /** A key of an adopted account that signs neither peels nor join tokens. */
    | 'account signing'
    | 'system account identity';
  publicKey: string;
  /** The invited master that it belongs to; undefined: the first master, or none. */
  master?: string | undefined;
  /** Whether it is the one that signs now; always true for an identity. */
  current: boolean;
  /** The JWTs and `.creds` files of the home that it signed, and the number of peels. */
  signed: string[];
  /** ISO 8601: when it was created or imported here. */
  since: string;
  /** The file with its seed; undefined: not in the home. */
  seedPath: string | undefined;
}

const OWN_ROLES = {
  'master-signing': 'master signing',
  'answers-signing': 'answers signing',
  'admin-signing': 'admin signing',
} as const satisfies Record<MasterKeyKind, KeyEntry['role']>;
const OWN_SEEDS = {
  'master-signing': 'masterSigningSeed',
  'answers-signing': 'answersSigningSeed',
  'admin-signing': 'adminSigningSeed',
} as const satisfies Record<MasterKeyKind, keyof TrustPaths>;

/** Lists the keys of a trust domain, with the location of each seed, what it signed, and its age. @throws FileError */
export async function listKeys(domain: TrustDomain): Promise<KeyEntry[]> {
  const { paths, publicKeys, settings } = domain;
  const operator = decodeOperatorJwt(domain.operatorJwt);
  const account = decodeAccountJwt(domain.accountJwt);
  const system = decodeAccountJwt(domain.systemAccountJwt);
  const signed = await signedBy(domain);
  const entry = async (
    role: KeyEntry['role'],
    publicKey: string,
    current: boolean,
    candidates: readonly string[],
  ): Promise<KeyEntry> => ({
    role,
    publicKey,
    current,
    signed: signed.get(publicKey) ?? [],
    since: settings.keysAdded?.[publicKey] ?? settings.createdAt,
    seedPath: await firstWith(candidates, role.startsWith('operator') ? 'operator' : 'account', publicKey),
  });
  const signing = (role: KeyEntry['role'], kind: SigningKeyKind, publicKey: string, current: boolean) =>
    entry(role, publicKey, current, [addedSeedPath(paths, kind, publicKey), firstSeedPath(paths, kind)]);
  const { renewal } = settings;
  const inUse = [renewal?.masterSigningKey, renewal?.answersSigningKey, renewal?.adminSigningKey];
  const ownSigning = (role: KeyEntry['role'], publicKey: string, seed: (typeof OWN_SEEDS)[MasterKeyKind]) =>
    entry(role, publicKey, inUse.includes(publicKey), [paths[seed]]);
  const entries = [entry('operator identity', operator.sub, true, [paths.operatorSeed])];
  for (const key of operator.nats.signing_keys ?? []) {
    entries.push(signing('operator signing', 'operator-signing', key, key === publicKeys.operatorSigning));
  }
  entries.push(entry('account identity', account.sub, true, [paths.accountSeed]));
  for (const key of account.nats.signing_keys ?? []) {
    const publicKey = typeof key === 'string' ? key : key.key;
    const kind = kindOfSigningKey(account, publicKey, publicKeys.peelSigning);
    const master = typeof key === 'string' ? undefined : labelOf(key.description)?.name;
    const labelled = async (one: Promise<KeyEntry>): Promise<KeyEntry> => ({ ...(await one), master });
    if (kind === 'peel-signing') {
      entries.push(labelled(signing('peel signing', kind, publicKey, publicKey === publicKeys.peelSigning)));
    } else if (kind === 'join-signing') {
      entries.push(labelled(signing('join signing', kind, publicKey, publicKey === publicKeys.joinSigning)));
    } else {
      const own = typeof key === 'string' ? undefined : masterKeyKindOf(key.role);
      entries.push(
        own === undefined
          ? entry('account signing', publicKey, false, [])
          : labelled(ownSigning(OWN_ROLES[own], publicKey, OWN_SEEDS[own])),
      );
    }
  }
  entries.push(entry('system account identity', system.sub, true, []));
  for (const key of system.nats.signing_keys ?? []) {
    // keys without a label belong to another tool
    const master = typeof key === 'string' ? undefined : labelOf(key.description)?.name;
    if (typeof key === 'string' || master === undefined) continue;
    const isCurrent = key.key === (renewal?.systemSigningKey ?? settings.master?.systemSigningKey);
    const one = entry('system signing', key.key, isCurrent, [paths.systemSigningSeed]);
    entries.push(one.then((found) => ({ ...found, master })));
  }
  return Promise.all(entries);
}

async function signedBy(domain: TrustDomain): Promise<Map<string, string[]>> {
  const { paths } = domain;
  const all = new Map<string, string[]>();
  const add = (issuer: string, what: string) => all.set(issuer, [...(all.get(issuer) ?? []), what]);
  add(decodeOperatorJwt(domain.operatorJwt).iss, 'the operator JWT');
  add(decodeAccountJwt(domain.systemAccountJwt).iss, `the account ${domain.names.systemAccount}`);
  add(decodeAccountJwt(domain.accountJwt).iss, `the account ${domain.names.account}`);
  for (const [path, what] of [
    [paths.masterCreds, 'master.creds'],
    [paths.masterAnswersCreds, 'master-answers.creds'],
    [paths.adminCreds, 'admin.creds'],
    [paths.systemCreds, 'system.creds'],
  ] as const) {
    try {
      const creds = await loadCredsFile(path);
      creds.wipe();
      add(creds.claims.iss, what);
    } catch (error) {
      if (!(error instanceof ZesterError)) throw error;
    }
  }
  const peels = new Map<string, number>();
  for (const { issuer } of await readIssued(paths.issued)) peels.set(issuer, (peels.get(issuer) ?? 0) + 1);
  for (const [issuer, count] of peels)
    add(issuer, `${count} peel ${count === 1 ? 'credential' : 'credentials'}`);
  return all;
}

async function firstWith(
  candidates: readonly string[],
  role: Role,
  publicKey: string,
): Promise<string | undefined> {
  for (const path of candidates) if (await holdsSeedOf(path, role, publicKey)) return path;
  return undefined;
}

/** Whether a file exists and contains the seed of this key. */
export async function holdsSeedOf(path: string, role: Role, publicKey: string): Promise<boolean> {
  if ((await stat(path).catch(() => undefined)) === undefined) return false;
  try {
    const key = await loadKeyBundleFromFile(role, path);
    key.wipe();
    return key.publicKey === publicKey;
  } catch (error) {
    if (error instanceof ZesterError) return false;
    throw error;
  }
}
