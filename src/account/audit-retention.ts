// Reads and sets how long the audit log keeps events.
import { nanos } from '@nats-io/nats-core';
import { FleetError } from '../errors.js';
import { AUDIT_STREAM } from '../permissions/names.js';
import { accountStreams } from '../system-account/account-streams.js';
import { withConnectedHome, withOpenHome, type ChangeOptions, type OpenHome } from './change-account.js';
import { changeStreams } from './change-streams.js';
import { requireIdentityKey } from './identity-key.js';
import { judgeRetention, type AuditRetention, type RetentionVerdict } from './judge-retention.js';

/** The options of {@link setAuditRetention}. */
export interface AuditRetentionOptions extends ChangeOptions {
  servers: readonly string[];
  /** The file of the account's identity seed, if it is not in the home. */
  accountSeed?: string | undefined;
}

/**
 * The limits of the audit log, and its deletions. Changes nothing.
 *
 * @throws TrustError, NatsServerError; FleetError `ERR_FLEET_STORE` when there is no audit log
 */
export async function auditRetention(
  home: string,
  options: ChangeOptions & { servers: readonly string[] },
): Promise<RetentionVerdict> {
  return withConnectedHome(home, options, (open) => readRetention(open, options.now ?? Date.now));
}

/**
 * Sets how long the audit log keeps events. No role may change a stream, so the account's identity key signs a user that
 * may. Events beyond the new limits are deleted at once, and cannot be restored.
 *
 * @param change absent limits stay
 * @returns the current limits, as reported by the servers
 * @throws as {@link auditRetention}; TrustError `ERR_TRUST_KEY_OFFLINE` without the identity seed
 */
export async function setAuditRetention(
  home: string,
  change: Partial<AuditRetention>,
  options: AuditRetentionOptions,
): Promise<RetentionVerdict> {
  const { accountSeed, now = Date.now } = options;
  return withOpenHome(home, 'zester audit retention', options, async (open) => {
    await readRetention(open, now);
    const { domain } = open;
    const signer = await requireIdentityKey(domain, accountSeed, 'only it may change the audit log');
    const { maxAgeMs, maxBytes } = change;
    try {
      const [changed] = await changeStreams(
        domain,
        signer,
        [AUDIT_STREAM],
        {
          ...(maxAgeMs !== undefined && { max_age: nanos(maxAgeMs) }),
          ...(maxBytes !== undefined && { max_bytes: maxBytes === 0 ? -1 : maxBytes }),
        },
        options,
      );
      if (changed !== undefined && 'why' in changed)
        throw new FleetError('ERR_FLEET_STORE', `the audit log was not changed: ${changed.why}`);
    } finally {
      signer.wipe();
    }
    return readRetention(open, now);
  });
}

async function readRetention({ connected, domain }: OpenHome, now: () => number): Promise<RetentionVerdict> {
  if (connected === undefined) throw new TypeError('servers: give at least one to query');
  const { streams } = await accountStreams(connected.nc, domain.publicKeys.account);
  const copies = streams.filter(({ name }) => name === AUDIT_STREAM);
  // a lagging replica has fewer
  const [newest] = copies.sort((a, b) => (b.state?.first_seq ?? 0) - (a.state?.first_seq ?? 0));
  const { config, state } = newest ?? {};
  if (config === undefined || state === undefined)
    throw new FleetError(
      'ERR_FLEET_STORE',
      'there is no audit log on these servers yet: the first master creates it',
    );
  return judgeRetention({ config, state }, now());
}
