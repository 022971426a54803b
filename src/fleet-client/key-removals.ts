// Decides on the removal of a signing key from the fleet's state, and audits it.
import { errorMessage } from '../text/error-message.js';
import { ZesterError } from '../errors.js';
import type { Clock } from '../jwt/time.js';
import type { SystemConnectionOptions } from '../system-account/system-connection.js';
import type { TrustDomain } from '../trust/domain.js';
import { KeyRemoval, type CountedUse } from '../trust/keys/key-removal.js';
import { afterwards } from './afterwards.js';
import { auditKeyRemoved, knownCredentials, useOfKey } from './from-home.js';
import { peelKeyUse } from './key-use.js';

/** Servers and credentials for querying the fleet. `servers: false`: do not query it. */
export type FleetChoice = Omit<
  Pick<SystemConnectionOptions, 'servers' | 'tls' | 'requireTls' | 'systemCreds'>,
  'servers'
> & {
  servers: readonly string[] | false;
};

const UNREACHABLE: ReadonlySet<string> = new Set(['ERR_NATS_SERVER_UNREACHABLE', 'ERR_CONNECT_UNREACHABLE']);

/**
 * Counts the dependents of signing keys, in the registry, in the home's list and among connections, and decides whether
 * the keys may be removed.
 *
 * @param publicKeys `A…`
 * @param options.force permit the removal even with dependents, or if they cannot be counted
 * @throws TrustError `ERR_TRUST_SIGNING_KEY`; NatsServerError `ERR_NATS_SERVER_UNREACHABLE`, ConnectError
 *   `ERR_CONNECT_UNREACHABLE` when no server answers
 */
export async function judgeKeyRemoval(
  domain: TrustDomain,
  publicKeys: readonly string[],
  { servers, systemCreds, ...at }: FleetChoice,
  { force, now = Date.now }: { force: boolean; now?: Clock | undefined },
): Promise<KeyRemoval> {
  const uses = new Map<string, CountedUse>();
  if (publicKeys.length === 0) return KeyRemoval.judge(domain.home, uses, { force });
  try {
    if (servers === false) throw new Error('with --no-push, no server is queried');
    const known = await knownCredentials(domain, { ...at, servers }, systemCreds);
    for (const key of publicKeys) {
      uses.set(key, (await useOfKey(domain, key, known, now())) ?? peelKeyUse(key, known, now() / 1000));
    }
  } catch (cause) {
    // without a server there is nothing to count, and nothing to remove there
    if (!force && cause instanceof ZesterError && UNREACHABLE.has(cause.code)) throw cause;
    const unknown = errorMessage(cause);
    for (const key of publicKeys) uses.set(key, { unknown });
  }
  return KeyRemoval.judge(domain.home, uses, { force });
}

/**
 * Records removed signing keys in the audit log.
 *
 * @param by the command, such as `zester keys remove`
 * @returns whether there is an audit log: the first master creates it
 * @throws FleetError `ERR_FLEET_STORE`: the keys are removed, but not audited
 */
export async function auditKeyRemoval(
  domain: TrustDomain,
  { uses, forced }: KeyRemoval,
  at: Pick<SystemConnectionOptions, 'servers' | 'tls' | 'requireTls'>,
  by: string,
): Promise<boolean> {
  let isAudited = true;
  for (const [publicKey, use] of uses) {
    const detail = { forced, ...('unknown' in use ? {} : { valid: use.valid, connected: use.connected }) };
    const write = () => auditKeyRemoved(domain, at, publicKey, detail, by);
    isAudited = (await afterwards(by, write)) && isAudited;
  }
  return isAudited;
}
