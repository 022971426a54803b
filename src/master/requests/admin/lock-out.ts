// Admin requests that reject and revoke peels.
import { FleetError } from '../../../errors.js';
import { mayReject } from '../../../permissions/admin-roles.js';
import { keyOf, type PeelRecord } from '../../../protocol/records/record.js';
import { nowSeconds } from '../../../jwt/time.js';
import { readAuditWithin } from '../../audit/read-audit.js';
import type { MasterContext } from '../../context.js';
import { decideFresh } from '../../registry/decide-fresh.js';
import { notifyPeel } from '../../revocation/notices.js';
import { unknownPeel, type Decision } from '../../registry/registry.js';
import type { Call } from '../service.js';
import { CONFIRM_REASON_TIMEOUT_MS, CONFIRM_TIMEOUT_MS } from '../../../timing.js';
import { unconfirmedReason } from './unconfirmed-reason.js';

/** `peel.reject`: issues no more JWTs to a pending or accepted peel, and revokes its existing ones. */
export async function rejectPeel(context: MasterContext, { request, by }: Call<'peel.reject'>) {
  const { peelId, reason } = request;
  const decide = (record: PeelRecord | undefined): Decision | undefined => {
    if (record === undefined) throw unknownPeel(peelId);
    if (by.role !== undefined && !mayReject(by.role, record.state)) {
      throw new FleetError(
        'ERR_FLEET_DENIED',
        `the role ${by.role} may reject only pending peels, and "${peelId}" is ${record.state}: ask an operator`,
        { peelId },
      );
    }
    if (record.state === 'rejected') return undefined;
    if (record.state === 'revoked') {
      throw new FleetError('ERR_FLEET_STATE', `the peel "${peelId}" is already revoked`, { peelId });
    }
    return { change: { kind: 'peel.rejected' }, by, reason };
  };
  await notifyEnded(context, decide, { peelId, code: 'ERR_FLEET_REJECTED', reason });
  const { record } = await decideFresh(context.registry, peelId, decide);
  return { record: (await revokedEverywhere(context, record, 'rejected')).record };
}

/** `peel.revoke`: revokes all keys of a peel, or one of them. */
export async function revokePeel(context: MasterContext, { request, by }: Call<'peel.revoke'>) {
  const { peelId, reason, publicKey } = request;
  const decide = (record: PeelRecord | undefined): Decision | undefined => {
    if (record === undefined) throw unknownPeel(peelId);
    // each key at least up to the issue time of its last JWT: see `applyEvent`
    const upTo = nowSeconds(context.now);
    if (publicKey === undefined) {
      if (record.state === 'revoked') return undefined;
      return { change: { kind: 'peel.revoked', upTo }, by, reason };
    }
    const key = keyOf(record, publicKey);
    if (key === undefined) {
      throw new FleetError(
        'ERR_FLEET_KEY_UNKNOWN',
        `the key ${publicKey} does not belong to the peel "${peelId}": see "zester peel show ${peelId}"`,
        { peelId },
      );
    }
    if (key.state === 'revoking' || key.state === 'revoked') return undefined;
    return { change: { kind: 'key.revoking', publicKeys: [publicKey], upTo }, by, reason };
  };
  await notifyEnded(context, decide, {
    peelId,
    code: 'ERR_FLEET_REVOKED',
    reason,
    ...(publicKey !== undefined && { publicKeys: [publicKey] }),
  });
  const { record } = await decideFresh(context.registry, peelId, decide);
  return revokedEverywhere(context, record, 'revoked', publicKey);
}

/**
 * Notify before revoking; otherwise the peel reconnects forever. If the decision fails, no notice is sent.
 *
 * @throws errors of `decide`
 */
async function notifyEnded(
  context: MasterContext,
  decide: (record: PeelRecord | undefined) => Decision | undefined,
  notice: {
    peelId: string;
    code: 'ERR_FLEET_REJECTED' | 'ERR_FLEET_REVOKED';
    reason: string | undefined;
    publicKeys?: string[];
  },
): Promise<void> {
  decide(await context.registry.refresh(notice.peelId));
  notifyPeel(context, { kind: 'ended', ...notice });
}

/**
 * Waits until every server has confirmed the revocation of the keys.
 *
 * @param publicKey wait for this key only
 * @throws FleetError `ERR_FLEET_UNCONFIRMED` when they have not within {@link CONFIRM_TIMEOUT_MS}
 */
async function revokedEverywhere(
  context: MasterContext,
  decided: PeelRecord,
  what: 'rejected' | 'revoked',
  publicKey?: string,
): Promise<{ record: PeelRecord; revoked: string[] }> {
  const { registry } = context;
  const selected = (record: PeelRecord) =>
    record.keys.filter((key) => publicKey === undefined || key.publicKey === publicKey);
  const isDone = (record: PeelRecord) => selected(record).every(({ state }) => state !== 'revoking');
  let record = decided;
  const isConfirmed = await new Promise<boolean>((resolve) => {
    const stop = registry.onChange((changed) => {
      if (changed.id !== decided.id) return;
      record = changed;
      if (isDone(changed)) end(true);
    });
    const timer = setTimeout(() => end(false), CONFIRM_TIMEOUT_MS);
    const end = (result: boolean) => {
      clearTimeout(timer);
      stop();
      resolve(result);
    };
    // it may have been confirmed just before this subscribed
    record = newer(record, registry.get(decided.id));
    if (isDone(record)) end(true);
  });
  if (!isConfirmed) throw await unconfirmed(context, decided, what);
  const revoked = selected(record).filter(({ state }) => state === 'revoked');
  return { record, revoked: revoked.map((key) => key.publicKey) };
}

function newer(a: PeelRecord, b: PeelRecord | undefined): PeelRecord {
  return b !== undefined && b.number > a.number ? b : a;
}

async function unconfirmed(
  context: MasterContext,
  { id: peelId, number }: PeelRecord,
  what: string,
): Promise<FleetError> {
  const { store, logger } = context;
  const deadline = Date.now() + CONFIRM_REASON_TIMEOUT_MS;
  const events = await readAuditWithin(store, { peelId }, deadline, logger);
  const why =
    unconfirmedReason(events ?? [], number) ??
    (context.watching() === undefined
      ? 'no master is following the servers'
      : 'not all servers have confirmed');
  return new FleetError(
    'ERR_FLEET_UNCONFIRMED',
    `the peel "${peelId}" is ${what}, but its credentials may still work on some server (${why}): ` +
      `the masters keep trying; check with "zester peel show ${peelId}"`,
    { peelId },
  );
}
