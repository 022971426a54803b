// Checks whether the grants of an earlier version need a migration.
import { loadCredsFile } from '../creds/parse.js';
import { accountOf } from '../jwt/account-of.js';
import { isScopedUser } from '../jwt/scoped.js';
import { adminUserJwtOptions, masterUserJwtOptions } from '../permissions/roles.js';
import { exceedsJoining } from './check-join-key.js';
import type { TrustDomain } from '../trust/domain.js';
import type { Finding } from '../trust/finding.js';
import { isAsIssuedNow, planAccountMigration } from '../trust/migration.js';

const FIX = 'run "zester permissions migrate" (docs/upgrading.md)';

/** Compares the account's templates, and the credentials of master and admin, with those of a new home. */
export async function checkMigration(domain: TrustDomain): Promise<Finding[]> {
  const { paths, publicKeys } = domain;
  const { templates, unsafe } = planAccountMigration(domain.accountClaims, publicKeys.peelSigning);
  const findings: Finding[] = [
    ...templates
      // a join template that allows more is a separate finding
      .filter(({ role, before }) => role === 'peel' || !exceedsJoining(before))
      .map(({ role, publicKey, before }): Finding => ({
        // without responses, only limits are missing
        severity: before.resp === undefined ? 'warning' : 'error',
        check: 'migration',
        subject: publicKey,
        message:
          before.resp === undefined
            ? `the template "${role}" lacks limits or connection types that a new template has`
            : `the template "${role}" has responses: a stolen credential can publish anywhere`,
        fix: FIX,
      })),
    ...unsafe.map(({ where, why, fix }): Finding => ({
      severity: 'error',
      check: 'migration',
      subject: where,
      message: why,
      fix,
    })),
  ];
  for (const [path, options] of [
    [paths.masterCreds, masterUserJwtOptions(publicKeys.account)],
    [paths.adminCreds, adminUserJwtOptions(publicKeys.account)],
  ] as const) {
    const creds = await loadCredsFile(path).catch(() => undefined);
    creds?.wipe();
    // unreadable credentials, or those of another account, are a separate finding
    if (creds === undefined || creds.claims.name !== options.name) continue;
    if (accountOf(creds.claims) !== publicKeys.account) continue;
    if (isScopedUser(creds.claims) || isAsIssuedNow(creds.claims, options)) continue;
    findings.push({
      severity: 'warning',
      check: 'migration',
      subject: path,
      message: 'has different grants from those that this version issues',
      fix: FIX,
    });
  }
  if (findings.length > 0) return findings;
  return [{ severity: 'ok', check: 'migration', subject: domain.home, message: 'grants are up to date' }];
}
