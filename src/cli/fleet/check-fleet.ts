// Checks of `zester doctor`: masters, registry and connections of the fleet.
import { signingKeyIds } from '../../jwt/signing-key-ids.js';
import { ZesterError } from '../../errors.js';
import { judgeFleet } from '../../doctor/judge-fleet.js';
import { isAccepted } from '../../protocol/records/record.js';
import type { TrustDomain } from '../../trust/domain.js';
import type { Finding } from '../../trust/finding.js';
import { connectionOf } from '../options/home-options.js';
import type { CliIo } from '../terminal/io.js';
import { asAdmin, type AdminOptions } from './admin.js';
import { knownCredentials } from '../../fleet-client/from-home.js';
import { DOCTOR_MASTER_TIMEOUT_MS } from '../../timing.js';

/**
 * Checks the fleet of a home: whether a master answers, the registry, and the connections. Reads the registry with the
 * home's credentials, so that it needs no master. Changes nothing. A check that could not run is a finding.
 */
export async function checkFleet(
  domain: TrustDomain,
  options: Omit<AdminOptions, 'creds'>,
  io: CliIo,
): Promise<Finding[]> {
  const known = await knownCredentials(domain, connectionOf(options, io, domain)).catch(ours);
  const registry =
    known instanceof ZesterError
      ? [notChecked('registry', known)]
      : judgeFleet({ ...known, signers: signersOf(domain) }, io.now() / 1000);
  const peels = known instanceof ZesterError ? undefined : known.records.filter(isAccepted).length;
  return [...(await checkMaster(options, peels, io)), ...registry];
}

/** The finding that nothing could be checked. @param error the reason */
export function fleetNotChecked(error: Pick<Finding, 'code' | 'message'>): Finding {
  return {
    severity: 'warning',
    check: 'fleet',
    subject: 'fleet',
    message: `masters and peels were not checked: ${error.message}`,
    ...(error.code !== undefined && { code: error.code }),
  };
}

function notChecked(check: string, error: ZesterError): Finding {
  return {
    severity: 'warning',
    check,
    subject: check,
    message: `peels and their signing keys were not checked: ${error.message}`,
    code: error.code,
  };
}

/** @param peels accepted peels, which need a master to renew them; undefined: unknown */
async function checkMaster(
  options: Omit<AdminOptions, 'creds'>,
  peels: number | undefined,
  io: CliIo,
): Promise<Finding[]> {
  const base = { check: 'master', subject: 'masters' };
  const answer = await asAdmin(options, io, ({ client }) =>
    client.ask('status', {}, { timeoutMs: DOCTOR_MASTER_TIMEOUT_MS }),
  ).catch(ours);
  if (!(answer instanceof ZesterError)) {
    const message = `master ${answer.master} responds (zester ${answer.version}, policy ${answer.policy})`;
    return [{ ...base, severity: 'ok', message }, ...heldFindings(answer.held)];
  }
  const { code, message } = answer;
  const isAbsent = code === 'ERR_FLEET_NO_MASTER' || code === 'ERR_FLEET_TIMEOUT';
  if (!isAbsent) return [{ ...base, severity: 'warning', code, message: `not checked: ${message}` }];
  const needed = peels !== undefined && peels > 0;
  return [
    {
      ...base,
      // a trust domain without peels may have no fleet at all
      severity: needed ? 'error' : peels === 0 && code === 'ERR_FLEET_NO_MASTER' ? 'ok' : 'warning',
      code,
      message:
        code === 'ERR_FLEET_NO_MASTER'
          ? `no master is running${needed ? `: ${peels} accepted peels are not renewed, and no peel is revoked` : peels === 0 ? ', and no peel needs one' : ''}`
          : `no master answered within ${DOCTOR_MASTER_TIMEOUT_MS / 1000} s`,
      fix: 'start one with "zester master" or "zester up"; if it is running, see its log',
    },
  ];
}

/** The finding that the circuit breaker is open: too many healthy peels would be revoked. */
function heldFindings(held: { peels: number; since: string } | undefined): Finding[] {
  if (held === undefined) return [];
  const { peels, since } = held;
  return [
    {
      check: 'held',
      subject: 'masters',
      severity: 'error',
      message:
        `the masters have held the revocation of ${peels} healthy ${peels === 1 ? 'peel' : 'peels'} since ${since}: ` +
        'more than a few at once are more likely a fault than theft',
      fix:
        'see why with "zester audit --kind revocations.held"; they continue when the cause is gone, or "zester master ' +
        'resume" permanently revokes the peels',
    },
  ];
}

function signersOf({ accountClaims, publicKeys }: TrustDomain): Set<string> {
  return new Set([publicKeys.account, ...signingKeyIds(accountClaims)]);
}

function ours(error: unknown): ZesterError {
  if (error instanceof ZesterError) return error;
  throw error;
}
