// `zester creds verify`: check a .creds file: format, signatures, validity.
import { expiryTime } from '../../../jwt/expiry.js';
import { isNotYetValid, startTime } from '../../../jwt/not-before.js';
import { errorMessage } from '../../../text/error-message.js';
import { UsageError, ZesterError } from '../../../errors.js';
import type { UserClaims, UserPermissionLimits } from '../../../jwt/claims.js';
import { command } from '../../command/declaration.js';
import { argument, text } from '../../command/option.js';
import { exposedMode } from '../../terminal/exposed-mode.js';
import type { CliIo } from '../../terminal/io.js';
import { limitRows, unknownClaims } from '../../terminal/limit-words.js';
import { permissionRows } from '../../terminal/permission-words.js';
import { timeWordsAndDate } from '../../terminal/time-words.js';

export default command({
  summary: 'verify a .creds file: format, signatures, validity',
  arguments: { file: argument('the .creds file') },
  options: {
    operatorJwt: text('--operator-jwt <file>', "the operator's JWT, from a source that you trust"),
    accountJwt: text('--account-jwt <file>', "the account's JWT, as on the servers"),
  },
  notes: `
With both JWTs, verifies the chain up to the operator and checks revocation. Without them, it cannot tell whether the
issuer is yours, and lists that check as "not checked".

Exit codes: 0 every check passed, 1 a file cannot be read, 3 the credential must not be trusted.`,
  examples: [
    'zester creds verify web-server-01.creds',
    'zester creds verify web-server-01.creds --operator-jwt operator.jwt --account-jwt account.jwt',
  ],
  async run({ file: path, ...jwts }, { io, output }) {
    if ((jwts.operatorJwt === undefined) !== (jwts.accountJwt === undefined)) {
      throw new UsageError('the chain needs both --operator-jwt and --account-jwt');
    }
    const checks: Check[] = [];
    let failure: unknown;
    try {
      await runChecks(path, jwts, io, checks);
    } catch (error) {
      // an unreadable file says nothing about the credential
      if (!(error instanceof ZesterError) || checks.length === 0) throw error;
      failure = error;
    }
    const ok = failure === undefined;
    output.result(
      [
        `${path}: ${ok ? output.colour('green', 'valid') : output.colour('red', 'not trusted')}`,
        ...checks.map(({ check, status, detail }) => {
          const colour = status === 'ok' ? 'green' : status === 'failed' ? 'red' : 'yellow';
          return `  ${output.colour(colour, status.padEnd(11))}  ${check.padEnd(9)}  ${detail}`;
        }),
      ],
      { path, ok, checks },
    );
    if (!ok) throw failure;
  },
});

interface Jwts {
  operatorJwt: string | undefined;
  accountJwt: string | undefined;
}

interface Check {
  check: 'file' | 'signature' | 'mode' | 'expiry' | 'limits' | 'chain';
  status: 'ok' | 'warning' | 'failed' | 'not checked';
  detail: string;
}

/** Adds its results to `checks`; a failing check is the last. @throws ZesterError of the failing check */
async function runChecks(path: string, jwts: Jwts, io: CliIo, checks: Check[]): Promise<void> {
  const { loadCredsFile } = await import('../../../creds/parse.js');
  const { expired } = await import('../../../creds/credential-holder.js');
  const { accountOf } = await import('../../../jwt/account-of.js');
  const issuers = await loadIssuers(jwts);
  const creds = await loadCredsFile(path);
  creds.wipe();
  const { claims } = creds;
  const account = accountOf(claims);
  checks.push(
    {
      check: 'file',
      status: 'ok',
      detail: `one user JWT, for ${claims.name ?? ''}, and the matching seed`,
    },
    {
      check: 'signature',
      status: 'ok',
      detail: account === claims.iss ? `by ${claims.iss}` : `by ${claims.iss}, a signing key of ${account}`,
    },
  );
  const exposed = exposedMode(path);
  checks.push(
    exposed === undefined
      ? { check: 'mode', status: 'ok', detail: 'readable by its owner only' }
      : { check: 'mode', status: 'warning', detail: exposed },
  );

  const now = io.now();
  const expiry = expiryTime(claims);
  if (creds.isExpired(() => now)) {
    checks.push({
      check: 'expiry',
      status: 'failed',
      detail: `expired ${timeWordsAndDate(expiry ?? 0, now)}`,
    });
    throw expired(creds);
  }
  const end = expiry === undefined ? 'never expires' : `expires ${timeWordsAndDate(expiry, now)}`;
  checks.push(
    isNotYetValid(claims, now)
      ? {
          check: 'expiry',
          status: 'warning',
          detail: `not valid before ${timeWordsAndDate(startTime(claims), now)}; ${end}`,
        }
      : { check: 'expiry', status: 'ok', detail: end },
  );

  const { checkUserValues } = await import('../../../jwt/check-user.js');
  noting('limits', checks, () => checkUserValues(claims));
  checks.push(await limitsCheck(claims, issuers?.account));

  if (issuers === undefined) {
    checks.push({
      check: 'chain',
      status: 'not checked',
      detail: 'issuer and revocation: pass --operator-jwt and --account-jwt',
    });
    return;
  }
  const { validateJwtChain } = await import('../../../jwt/chain.js');
  noting('chain', checks, () =>
    validateJwtChain(issuers.operator, issuers.account, creds.jwt, { now: io.now }),
  );
  checks.push({
    check: 'chain',
    status: 'ok',
    detail: 'the operator signed the account, the account signed the user, and neither is revoked',
  });
}

/** Adds a failed check if `act` throws. @throws errors of `act` */
function noting(check: Check['check'], checks: Check[], act: () => void): void {
  try {
    act();
  } catch (error) {
    checks.push({ check, status: 'failed', detail: errorMessage(error) });
    throw error;
  }
}

/** Its restrictions: from the JWT, or from the template of the scoped signing key if the account JWT is given. */
async function limitsCheck(claims: UserClaims, accountJwt: string | undefined): Promise<Check> {
  const { isScopedUser } = await import('../../../jwt/scoped.js');
  const base = { check: 'limits', status: 'ok' } as const;
  let limits: UserPermissionLimits | undefined = claims.nats;
  if (isScopedUser(claims)) {
    const { decodeAccountJwt } = await import('../../../jwt/decode.js');
    const { templateOf } = await import('../../../trust/user-permissions.js');
    try {
      limits = accountJwt === undefined ? undefined : templateOf(decodeAccountJwt(accountJwt), claims.iss);
    } catch (error) {
      if (!(error instanceof ZesterError)) throw error;
      limits = undefined; // the chain check reports errors of the account JWT
    }
    if (limits === undefined) return { ...base, detail: 'from the template of the scoped signing key' };
  }
  const { allowed_connection_types: types = [], proxy_required: proxy } = limits;
  const rows = [...permissionRows(limits), ...limitRows(limits)].map(
    ([name, values]) => `${name} ${values.join(', ')}`,
  );
  const unknown = unknownClaims(claims);
  if (unknown.length > 0) rows.push(`claims unknown to this version: ${unknown.join(', ')}`);
  if (claims.nats.bearer_token === true) rows.push('a bearer token: the JWT alone is enough to connect');
  const detail = rows.length === 0 ? 'none' : rows.join('; ');
  // the connection type of Zester and most clients
  const works = (types.length === 0 || types.includes('STANDARD')) && proxy !== true;
  return { ...base, status: works ? 'ok' : 'warning', detail };
}

/** The given JWTs for the chain check, if any. */
async function loadIssuers(jwts: Jwts): Promise<{ operator: string; account: string } | undefined> {
  const { operatorJwt, accountJwt } = jwts;
  if (operatorJwt === undefined || accountJwt === undefined) return undefined;
  const { loadJwtFile } = await import('../../../creds/load-jwt-file.js');
  return { operator: await loadJwtFile(operatorJwt), account: await loadJwtFile(accountJwt) };
}
