// Checks the signing key of join tokens.
import { TrustError, ZesterError } from '../errors.js';
import type { Permissions } from '../jwt/claims.js';
import { permissionClaims } from '../jwt/permission-options.js';
import { joinPermissionsTemplate } from '../permissions/roles.js';
import { subjectCovers } from '../permissions/subject.js';
import type { TrustDomain } from '../trust/domain.js';
import { findingOf, type Finding } from '../trust/finding.js';
import { isJoinIssuer } from '../trust/keys/signing-keys.js';
import { templateOf } from '../trust/user-permissions.js';

const SUBJECT = 'join signing key';

/**
 * Checks the signing key for join tokens: its seed, that the account has it, and that its users can only request to
 * join. A fleet works without it, so a missing key is a warning.
 */
export async function checkJoinKey(domain: TrustDomain): Promise<Finding[]> {
  const findings = [await checkSeed(domain)];
  const publicKey = domain.publicKeys.joinSigning;
  if (publicKey === undefined) return findings;
  const account = domain.accountClaims;
  const fix =
    'add another key ("zester keys add join-signing"), then remove this one ("zester keys remove A…")';
  if (!isJoinIssuer(account, publicKey)) {
    findings.push({
      severity: 'error',
      check: 'template',
      subject: publicKey,
      message:
        'it is not a scoped signing key of the account for join tokens: servers refuse the tokens that it signs',
      fix: '"zester keys add join-signing"',
    });
  } else if (exceedsJoining(templateOf(account, publicKey) ?? {})) {
    findings.push({
      severity: 'error',
      check: 'template',
      subject: publicKey,
      message: 'its template lets join tokens do more than request to join',
      fix,
    });
  }
  return findings;
}

async function checkSeed(domain: TrustDomain): Promise<Finding> {
  try {
    const key = await domain.joinSigner();
    key.wipe();
    return { severity: 'ok', check: 'key', subject: SUBJECT, message: `${key.publicKey}, its seed is here` };
  } catch (error) {
    if (!(error instanceof ZesterError)) throw error;
    const finding = findingOf(error, 'key', SUBJECT);
    const offline = error instanceof TrustError && error.code === 'ERR_TRUST_KEY_OFFLINE';
    return offline
      ? {
          ...finding,
          severity: 'warning',
          message: `${finding.message}; without it, expired peels cannot recover`,
        }
      : finding;
  }
}

/** Whether a template allows more than requesting to join. To a server, an empty allow list means everything. */
export function exceedsJoining(template: Permissions): boolean {
  const most = permissionClaims(joinPermissionsTemplate());
  return (
    template.resp !== undefined ||
    (['pub', 'sub'] as const).some((what) => {
      const allowed = template[what]?.allow ?? [];
      const outer = most[what]?.allow ?? [];
      return allowed.length === 0 || !allowed.every((inner) => outer.some((o) => subjectCovers(o, inner)));
    })
  );
}
