// Checks a .creds file: chain, expiry, size, mode.
import { loadCredsFile } from '../creds/parse.js';
import { ZesterError } from '../errors.js';
import { validateJwtChain } from '../jwt/chain.js';
import { lintPermissions } from '../permissions/lint.js';
import type { TrustDomain } from '../trust/domain.js';
import { expiryFinding } from '../trust/expiry.js';
import { findingOf, type Finding } from '../trust/finding.js';
import { lintFindings } from '../trust/lint-findings.js';
import { checkSecretFile } from '../trust/private-files.js';
import { lintSubjectOf, userPermissions } from '../trust/user-permissions.js';

/** A server's default `max_control_line`: the CONNECT line, and the JWT in it, must fit (docs/nats-facts.md, 12). */
export const DEFAULT_MAX_CONTROL_LINE = 4096;

/** The rest of a CONNECT line: public key, signature, connection name, and the client's own fields. */
const REST_OF_CONNECT = 512;

/** The options of {@link checkCredentials}. */
export interface CheckCredentialsOptions {
  /** The expected trust domain; absent: the chain is not checked. */
  domain?: TrustDomain | undefined;
  /** The longest line that a server accepts, in bytes; by default, the server's default. */
  maxControlLine?: number | undefined;
  now?: () => number;
}

/** Checks a `.creds` file: mode, completeness, chain, expiry, size, and permissions. */
export async function checkCredentials(
  path: string,
  options: CheckCredentialsOptions = {},
): Promise<Finding[]> {
  const { domain } = options;
  const now = (options.now ?? Date.now)();
  const findings: Finding[] = [];
  try {
    const creds = await loadCredsFile(path);
    creds.wipe();
    const { claims, jwt } = creds;
    try {
      checkSecretFile(path);
      findings.push({ severity: 'ok', check: 'mode', subject: path, message: 'readable by its owner only' });
    } catch (error) {
      findings.push(findingOf(error, 'mode', path));
    }
    const expiry = expiryFinding(path, claims, 'issue a new one ("zester creds bootstrap")', now);
    findings.push(expiry, sizeFinding(path, jwt, options.maxControlLine ?? DEFAULT_MAX_CONTROL_LINE));
    if (domain === undefined) return findings;
    if (expiry.severity !== 'error') {
      const ofSystem = (claims.nats.issuer_account ?? claims.iss) === domain.publicKeys.systemAccount;
      const accountJwt = ofSystem ? domain.systemAccountJwt : domain.accountJwt;
      validateJwtChain(domain.operatorJwt, accountJwt, jwt, { now: () => now });
      findings.push({
        severity: 'ok',
        check: 'chain',
        subject: path,
        message: `signed by ${domain.names.operator} and ${ofSystem ? domain.names.systemAccount : domain.names.account}`,
      });
    }
    const permissions = userPermissions(claims, domain.accountJwt, path);
    return [...findings, ...lintFindings(lintPermissions(permissions, lintSubjectOf(claims)), path)];
  } catch (error) {
    if (!(error instanceof ZesterError)) throw error;
    return [...findings, findingOf(error, findings.length === 0 ? 'file' : 'chain', path)];
  }
}

function sizeFinding(path: string, jwt: string, maxControlLine: number): Finding {
  const base = { check: 'size', subject: path };
  const message = `${jwt.length} bytes of JWT, but the server accepts lines of at most ${maxControlLine}`;
  if (jwt.length + REST_OF_CONNECT <= maxControlLine) return { ...base, severity: 'ok', message };
  return {
    ...base,
    severity: 'error',
    message,
    fix: 'grant fewer subjects, sign with a scoped signing key, or raise max_control_line on every server',
  };
}
