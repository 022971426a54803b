// Admin requests that add, accept and rotate peels.
import { FleetError } from '../../../errors.js';
import { isLabelled } from '../../../protocol/records/labels.js';
import { isReservedName } from '../../../protocol/is-master.js';
import {
  currentKey,
  isAccepted,
  keyOf,
  keyToDecide,
  notAcceptedError,
  type PeelRecord,
  liveKey,
} from '../../../protocol/records/record.js';
import { requireFingerprint } from '../../../protocol/records/require-fingerprint.js';
import { isPeelConnected } from '../../../protocol/records/effective-presence.js';
import type { MasterContext } from '../../context.js';
import { decideFresh } from '../../registry/decide-fresh.js';
import { isAnswerTo, jwtsOf, nextFacts } from '../../trust/issued-jwt.js';
import { claimKey, withClaims } from '../../registry/key-claim.js';
import { checkNewKey } from '../check-proof.js';
import { notifyPeel } from '../../revocation/notices.js';
import { unknownPeel, type Decision } from '../../registry/registry.js';
import type { Call } from '../service.js';
import { checkedLabels } from './labels.js';
import { peelAddresses } from '../../watch/peel-addresses.js';

/** `peel.add`: adds an accepted peel, and issues a JWT for a key that the admin made. */
export async function addPeel(context: MasterContext, { request, by }: Call<'peel.add'>) {
  const { registry, metrics } = context;
  const { requestId, peelId, publicKey, expiry: lifetime, replace = false, labels } = request;
  if (isReservedName(peelId)) {
    throw new FleetError('ERR_FLEET_ID_TAKEN', `"${peelId}" is a reserved name: choose another`, { peelId });
  }
  checkNewKey(by, { request: 'peel.add', id: peelId, publicKey }, request.signature);
  const claim = await claimKey(context, publicKey, peelId);
  const decide = (found: PeelRecord | undefined): Decision | undefined => {
    const key = found && keyOf(found, publicKey);
    if (found !== undefined && key !== undefined) {
      if (isAccepted(found) && isAnswerTo(context, key, requestId)) return undefined;
      if (key.state !== 'issued' && key.state !== 'live') {
        throw new FleetError(
          'ERR_FLEET_STATE',
          `the key ${publicKey} of the peel "${peelId}" is ${key.state}: make a new key for it`,
          { peelId },
        );
      }
    }
    if (found !== undefined && !replace) {
      throw new FleetError(
        'ERR_FLEET_ID_TAKEN',
        `the peel "${peelId}" already exists and is ${found.state}: choose another ID, or replace its key (--replace)`,
        { peelId },
      );
    }
    const facts = nextFacts(context, { publicKey, key, requestId, lifetime });
    const inUse = found !== undefined && isAccepted(found) && key?.state === 'live';
    const added = labels === undefined ? {} : { labels: checkedLabels(found, labels) };
    return {
      change: inUse
        ? { kind: 'key.renewed', key: facts, ...added }
        : { kind: 'key.issued', key: facts, origin: 'peel add', ...added },
      by,
    };
  };
  const { record, changed } = await withClaims([claim], () => decideFresh(registry, peelId, decide));
  if (changed) metrics.issued.inc({ why: 'add' });
  return {
    ...jwtsOf(context, record, publicKey),
    requestId,
    ...(record.labels !== undefined && { labels: record.labels }),
  };
}

/** `peel.accept`: accepts a pending peel. */
export async function acceptPeel(context: MasterContext, { request, by }: Call<'peel.accept'>) {
  const { registry } = context;
  const { peelId, reason, labels, fingerprint } = request;
  const from = await peelAddresses(context, registry.get(peelId));
  const { record } = await decideFresh(registry, peelId, (found): Decision | undefined => {
    if (found === undefined) throw unknownPeel(peelId);
    // another host may have requested the ID since the admin compared it
    if (fingerprint !== undefined) requireFingerprint(found, fingerprint);
    if (isAccepted(found)) {
      if (labels === undefined || isLabelled(found.labels, { set: labels })) return undefined;
      throw new FleetError(
        'ERR_FLEET_STATE',
        `the peel "${peelId}" is already accepted, with other labels: change them with "zester peel label ${peelId}"`,
        { peelId },
      );
    }
    if (found.state === 'pending') {
      const publicKey = keyToDecide(found)?.publicKey;
      const added = labels === undefined ? {} : { labels: checkedLabels(found, labels, by.role) };
      return { change: { kind: 'peel.accepted', ...added }, by, reason, from, publicKey };
    }
    throw new FleetError(
      'ERR_FLEET_STATE',
      `the peel "${peelId}" is ${found.state}: it can return only with a new key; run "zester peel join" on it, ` +
        `or "zester peel add ${peelId} --replace"`,
      { peelId },
    );
  });
  return { record };
}

/** `peel.rotate`: tells a peel to replace its key. */
export async function rotatePeel(context: MasterContext, { request, by }: Call<'peel.rotate'>) {
  const { registry, presence } = context;
  const { peelId, since, publicKey } = request;
  const from = since === undefined ? undefined : Date.parse(since);
  let isDone = false;
  const { record } = await decideFresh(registry, peelId, (found): Decision | undefined => {
    if (found === undefined) throw unknownPeel(peelId);
    if (!isAccepted(found)) throw notAcceptedError(found);
    isDone =
      (from !== undefined && hasKeySince(found, from)) ||
      (publicKey !== undefined && hasReplaced(found, publicKey));
    const isRequested =
      found.rotationAskedAt !== undefined &&
      (from === undefined || Date.parse(found.rotationAskedAt) >= from);
    return isDone || isRequested ? undefined : { change: { kind: 'rotation.asked' }, by };
  });
  if (isDone) return { record, outcome: 'done' as const };
  // notify in any case: a peel that has just connected may not be known yet
  const key = liveKey(record) ?? currentKey(record);
  notifyPeel(context, {
    kind: 'rotate',
    peelId,
    ...(key !== undefined && { publicKey: key.publicKey }),
  });
  const isConnected = isPeelConnected(record, presence.seen(peelId));
  return { record, outcome: isConnected ? ('told' as const) : ('asked' as const) };
}

/** Whether the peel is using another key. */
function hasReplaced(record: PeelRecord, publicKey: string): boolean {
  const key = liveKey(record);
  return key !== undefined && key.publicKey !== publicKey;
}

/** Whether the peel has connected with a key issued at or after this time. */
function hasKeySince(record: PeelRecord, from: number): boolean {
  const key = currentKey(record);
  return key?.state === 'live' && Date.parse(key.addedAt ?? key.connectedAt ?? '') >= from;
}
