// Checks a home: modes, completeness, keys, chains, expiry, template.
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { loadCredsFile } from '../creds/parse.js';
import { TrustError, ZesterError } from '../errors.js';
import { validateJwtChain } from '../jwt/chain.js';
import { decodeAccountJwt, decodeOperatorJwt } from '../jwt/decode.js';
import { ed25519Info } from '../nkeys/ed25519.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { lintPermissions } from '../permissions/lint.js';
import type { TrustDomain } from '../trust/domain.js';
import { expiryFinding } from '../trust/expiry.js';
import { findingOf, type Finding } from '../trust/finding.js';
import { lintFindings } from '../trust/lint-findings.js';
import { openTrustDomain } from '../trust/open.js';
import { overdueTime, type JwtTimes } from '../trust/judge-expiry.js';
import { ownCreds, ownSigner } from '../trust/own-creds.js';
import { trustPaths, type TrustPaths } from '../trust/paths.js';
import { missingMasterAnswers } from '../trust/master-answers.js';
import { checkPrivateDirectory, checkSecretFile, pathExists } from '../trust/private-files.js';
import { checkMigration } from './check-migration.js';
import { checkJoinKey } from './check-join-key.js';
import { templateOf } from '../trust/user-permissions.js';

/**
 * Checks a home: modes and owners, completeness, keys, chains, expiry, and the peels' template. Changes nothing.
 *
 * @param options.now milliseconds since 1970, as `Date.now`
 * @returns the findings, and the trust domain if it can be opened
 */
export async function checkHome(
  home: string,
  options: { now?: () => number } = {},
): Promise<{ findings: Finding[]; domain: TrustDomain | undefined }> {
  const now = (options.now ?? Date.now)();
  const paths = trustPaths(home);
  const findings = [ed25519Finding(), ...(await checkModes(paths))];
  let domain: TrustDomain | undefined;
  try {
    domain = await openTrustDomain(home);
    findings.push({ severity: 'ok', check: 'complete', subject: home, message: 'nothing is missing' });
  } catch (error) {
    const finding = findingOf(error, 'complete', home);
    // already reported for each directory
    if (!findings.some(({ code, severity }) => severity === 'error' && code === finding.code))
      findings.push(finding);
    return { findings, domain: undefined };
  }
  findings.push(...(await checkKeys(domain)));
  findings.push(...checkJwts(domain, now));
  findings.push(...(await checkMigration(domain)), renewalFinding(domain));
  for (const path of [paths.masterCreds, paths.adminCreds, paths.systemCreds]) {
    // an invited master's home has no admin
    if (path === paths.adminCreds && !pathExists(path)) continue;
    findings.push(...(await checkOwnCreds(domain, path, now)));
  }
  findings.push(
    ...(pathExists(paths.masterAnswersCreds)
      ? await checkOwnCreds(domain, paths.masterAnswersCreds, now)
      : [missingMasterAnswers(paths.masterAnswersCreds)]),
  );
  return { findings, domain };
}

/** The Ed25519 backend of this machine, and where it keeps seeds. */
function ed25519Finding(): Finding {
  const subject = 'Ed25519';
  try {
    const { backend, version, seeds, why } = ed25519Info();
    const memory = { locked: 'seeds in locked memory', guarded: 'seeds in guarded memory', plain: '' }[seeds];
    const more = [memory, why ?? ''].filter((part) => part !== '').join(', ');
    const message = `computed by ${backend} ${version} (${more})`;
    return { severity: 'ok', check: 'ed25519', subject, message };
  } catch (error) {
    return findingOf(error, 'ed25519', subject);
  }
}

/** Files and directories that other users can access. */
async function checkModes(paths: TrustPaths): Promise<Finding[]> {
  const findings: Finding[] = [];
  const check = (path: string, look: (path: string) => boolean): boolean => {
    try {
      return look(path);
    } catch (error) {
      findings.push(findingOf(error, 'mode', path));
      return true;
    }
  };
  if (!check(paths.home, checkPrivateDirectory)) return findings;
  for (const directory of [
    paths.keysDirectory,
    paths.credsDirectory,
    paths.jwtDirectory,
    paths.serverDirectory,
  ]) {
    if (!check(directory, checkPrivateDirectory) || directory === paths.serverDirectory) continue;
    const names = await readdir(directory, { withFileTypes: true }).catch(() => []);
    for (const entry of names) {
      // JWTs are not secrets
      if (entry.isFile() && directory !== paths.jwtDirectory)
        check(join(directory, entry.name), checkSecretFile);
    }
  }
  if (findings.length > 0) return findings;
  return [{ severity: 'ok', check: 'mode', subject: paths.home, message: 'accessible by its owner only' }];
}

async function checkKeys(domain: TrustDomain): Promise<Finding[]> {
  const check = async (what: string, needed: boolean, load: () => Promise<KeyBundle>): Promise<Finding> => {
    try {
      const key = await load();
      key.wipe();
      return { severity: 'ok', check: 'key', subject: what, message: `${key.publicKey}, its seed is here` };
    } catch (error) {
      if (!needed && error instanceof TrustError && error.code === 'ERR_TRUST_KEY_OFFLINE') {
        return { severity: 'ok', check: 'key', subject: what, message: 'its seed is offline' };
      }
      return findingOf(error, 'key', what);
    }
  };
  const findings = [
    await check('operator identity', false, () => domain.operatorKey()),
    await check('operator signing key', true, () => domain.operatorSigningKey()),
    await check('account identity', false, () => domain.accountKey()),
    await check('peel signing key', true, () => domain.peelSigner()),
    ...(await checkJoinKey(domain)),
  ];
  // without this check, a missing seed would go unnoticed until the credentials expire
  for (const one of ownCreds(domain))
    findings.push(await check(`signing key of ${basename(one.path)}`, true, () => ownSigner(one)));
  const account = decodeAccountJwt(domain.accountJwt);
  const template = templateOf(account, domain.publicKeys.peelSigning);
  if (template === undefined) {
    return [
      ...findings,
      {
        severity: 'error',
        check: 'template',
        subject: domain.publicKeys.peelSigning,
        message:
          'the peel signing key is not a scoped signing key of the account: servers refuse the peels that it signs',
        fix: 'restore jwt/account.jwt from a backup, or adopt the servers\' with "zester account push"',
      },
    ];
  }
  return [...findings, ...lintFindings(lintPermissions(template), 'the template of the peels')];
}

function checkJwts(domain: TrustDomain, now: number): Finding[] {
  const { paths } = domain;
  const account = decodeAccountJwt(domain.accountJwt);
  const renew = 'issue a new one with the tool that created it';
  const { mem_storage: memory = 0, disk_storage: disk = 0 } = (account.nats.limits ?? {}) as Record<
    string,
    unknown
  >;
  return [
    expiryFinding(paths.operatorJwt, decodeOperatorJwt(domain.operatorJwt), renew, now),
    expiryFinding(paths.systemAccountJwt, decodeAccountJwt(domain.systemAccountJwt), renew, now),
    expiryFinding(paths.accountJwt, account, renew, now),
    memory === 0 && disk === 0
      ? {
          severity: 'error',
          check: 'jetstream',
          subject: paths.accountJwt,
          message: "the account may not use JetStream, which stores the fleet's state",
          fix: 'give the account JetStream limits with the tool that created it, and push it',
        }
      : {
          severity: 'ok',
          check: 'jetstream',
          subject: paths.accountJwt,
          message: 'the account may use JetStream',
        },
  ];
}

/** Self-renewing credentials that are overdue cause a warning long before they expire. */
function lateFinding(finding: Finding, times: JwtTimes | undefined, now: number): Finding {
  if (finding.severity !== 'ok' || times === undefined || overdueTime(times) > now) return finding;
  return {
    ...finding,
    severity: 'warning',
    message: `${finding.message}, and was not renewed: no command of this home has run for long, or its log has the reason`,
    fix: 'run "zester creds renew"',
  };
}

/** Whether the home's own credentials expire and renew themselves. */
function renewalFinding({ settings, paths }: TrustDomain): Finding {
  const base = { severity: 'ok', check: 'renewal', subject: paths.credsDirectory } as const;
  if (settings.renewal !== undefined)
    return { ...base, message: 'the credentials of master, admin and system renew themselves while in use' };
  return {
    ...base,
    message:
      'the credentials of master, admin and system do not expire; once every peel and master is upgraded, "zester keys add ' +
      'master-signing" makes them expire and renew themselves (docs/upgrading.md)',
  };
}

async function checkOwnCreds(domain: TrustDomain, path: string, now: number): Promise<Finding[]> {
  try {
    const creds = await loadCredsFile(path);
    creds.wipe();
    const { accountJwt, systemAccountJwt, operatorJwt, paths } = domain;
    const renews = ownCreds(domain).some((one) => one.path === path);
    const how = renews ? 'run "zester creds renew"' : 'put a new .creds file there';
    const expiry = lateFinding(
      expiryFinding(path, creds.claims, how, now),
      renews ? creds.claims : undefined,
      now,
    );
    if (expiry.severity === 'error') return [expiry];
    validateJwtChain(operatorJwt, path === paths.systemCreds ? systemAccountJwt : accountJwt, creds.jwt, {
      now: () => now,
    });
    return [
      expiry,
      {
        severity: 'ok',
        check: 'chain',
        subject: path,
        message: 'signed by the account and the operator',
      },
    ];
  } catch (error) {
    if (!(error instanceof ZesterError)) throw error;
    return [findingOf(error, 'chain', path)];
  }
}
