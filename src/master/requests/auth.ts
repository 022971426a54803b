// Answers peels that renew or rotate their credential.
import type { NatsConnection } from '@nats-io/nats-core';
import { errorTraits } from '../../error-traits.js';
import { FleetError } from '../../errors.js';
import type { Actor } from '../../protocol/records/actor.js';
import { rotationProof } from '../../protocol/proofs.js';
import {
  isAccepted,
  keyOf,
  notAcceptedError,
  type PeelKey,
  type PeelRecord,
  needsRotation,
} from '../../protocol/records/record.js';
import { isPeelId, validatePeelId } from '../../permissions/peel-id.js';
import { peelInboxPrefix, subjectFor, subjectsOf } from '../../permissions/names.js';
import type { MasterContext } from '../context.js';
import { checkProofOfBoth } from './check-proof.js';
import { checkFresh, decideFresh } from '../registry/decide-fresh.js';
import { isAnswerTo, jwtsOf, nextFacts } from '../trust/issued-jwt.js';
import { claimKey, withClaims } from '../registry/key-claim.js';
import type { RefusalAudit } from '../audit/refusal-audit.js';
import { unknownPeel, type Decision } from '../registry/registry.js';
import { RequestService, type Call } from './service.js';
import { KEYS_COUNTED_MS } from '../../timing.js';

/** Unused new keys per peel: at the limit, the peel must use one before it requests another. */
const MAX_UNUSED_KEYS = 4;

/**
 * New keys per peel and day. A replaced key stays in the account JWT until its own JWTs have expired, and servers accept
 * only some thousands of these: a stolen file must not use them up, since then nothing could be revoked.
 */
const MAX_KEYS_A_DAY = 100;

/** Answers a peel's requests: a new JWT for its key, or a JWT for a new key. */
export function startAuthService(
  context: MasterContext,
  nc: NatsConnection,
  refusals: RefusalAudit,
  onExcess?: (caller: string, bytes: number) => void,
): RequestService<'renew' | 'rotate'> {
  return new RequestService(
    context,
    {
      nc,
      inboxes: (caller) => (isPeelId(caller) ? [peelInboxPrefix(caller)] : []),
      subject: subjectsOf('auth'),
      subjects: { renew: subjectFor.auth('*', 'renew'), rotate: subjectFor.auth('*', 'rotate') },
      handlers: {
        renew: (call) => renew(context, call),
        rotate: (call) => rotate(context, call),
      },
      authenticate: ({ caller }) => peelActor(validatePeelId(caller)),
      claimed: peelActor,
      from: (caller) => context.presence.seen(caller)?.connections.at(-1)?.host,
      peelId: (caller) => caller,
      signed: true,
      ...(onExcess && { onExcess }),
      // a peel sends a few requests a day; with a short lifetime, or a file that it cannot write, one every second or so
      rate: { perSecond: 1, burst: 30 },
      queue: { running: 64, runningPerCaller: 2, waiting: 20_000, waitingPerCaller: 8 },
      audited: (code) => errorTraits(code)?.audited !== 'never',
    },
    refusals,
  );
}

function peelActor(peelId: string): Actor {
  return { kind: 'peel', name: peelId };
}

async function renew(context: MasterContext, { request, caller: peelId, by, from }: Call<'renew'>) {
  const { registry, metrics, now } = context;
  const { requestId, publicKey, recovery } = request;
  const { record, changed } = await decideFresh(registry, peelId, (found): Decision | undefined => {
    const key = usableKey(found, peelId, publicKey);
    if (isAnswerTo(context, key, requestId)) return undefined;
    const facts = nextFacts(context, { publicKey, key, requestId });
    return { change: { kind: 'key.renewed', key: facts }, by, from };
  });
  if (changed) metrics.issued.inc({ why: 'renew' });
  return {
    ...jwtsOf(context, record, publicKey, recovery),
    now: now(),
    requestId,
    ...(needsRotation(record, publicKey) && { rotate: true }),
  };
}

async function rotate(context: MasterContext, { request, caller: peelId, by, from }: Call<'rotate'>) {
  const { registry, metrics, now } = context;
  const { requestId, publicKey, newPublicKey } = request;
  if (newPublicKey === publicKey) {
    throw new FleetError('ERR_FLEET_REQUEST', 'the new key equals the old one: make a new key');
  }
  const proof = rotationProof({ requestId, peelId, publicKey, newPublicKey });
  checkProofOfBoth('the rotation', proof, request, peelId);
  await checkFresh(registry, peelId, (found) => usableKey(found, peelId, publicKey));
  const claim = await claimKey(context, newPublicKey, peelId);
  const decide = (found: PeelRecord | undefined): Decision | undefined => {
    const old = usableKey(found, peelId, publicKey);
    const known = found && keyOf(found, newPublicKey);
    if (known === undefined) {
      limitUnusedKeys(found, old, now());
      limitNewKeys(found, now());
      const facts = nextFacts(context, { publicKey: newPublicKey, key: undefined, requestId });
      return { change: { kind: 'key.rotated', key: facts, replaces: publicKey }, by, from };
    }
    const key = usableKey(found, peelId, newPublicKey);
    if (isAnswerTo(context, key, requestId)) return undefined;
    // a repeated request: the peel lost the answer and the request
    const facts = nextFacts(context, { publicKey: newPublicKey, key, requestId });
    return { change: { kind: 'key.renewed', key: facts }, by, from };
  };
  const { record, changed } = await withClaims([claim], () => decideFresh(registry, peelId, decide));
  if (changed) metrics.issued.inc({ why: 'rotate' });
  return { ...jwtsOf(context, record, newPublicKey), now: now(), requestId };
}

/**
 * The renewable or replaceable key of an accepted peel.
 *
 * @throws FleetError `ERR_FLEET_UNKNOWN_PEEL`, `ERR_FLEET_KEY_UNKNOWN`, `ERR_FLEET_STATE`, `ERR_FLEET_REVOKED` and as
 *   `notAcceptedError`
 */
function usableKey(record: PeelRecord | undefined, peelId: string, publicKey: string): PeelKey {
  // a peel that has just connected may not be visible yet: not a permanent refusal
  if (record === undefined) throw unknownPeel(peelId);
  if (!isAccepted(record)) throw notAcceptedError(record);
  const key = keyOf(record, publicKey);
  switch (key?.state) {
    case undefined:
    case 'requested':
      throw new FleetError(
        'ERR_FLEET_KEY_UNKNOWN',
        `the key ${publicKey} does not belong to the peel "${peelId}": see "zester peel show ${peelId}"`,
        { peelId },
      );
    case 'issued':
    case 'live':
      return key;
    case 'retired':
      throw new FleetError(
        'ERR_FLEET_STATE',
        `the key ${publicKey} of the peel "${peelId}" was replaced: use its replacement`,
        { peelId },
      );
    case 'revoking':
    case 'revoked':
      throw new FleetError('ERR_FLEET_REVOKED', `the key ${publicKey} of the peel "${peelId}" is revoked`, {
        peelId,
        final: true,
      });
  }
}

function limitUnusedKeys(record: PeelRecord | undefined, current: PeelKey, nowMs: number): void {
  const unused = (record?.keys ?? []).filter(
    (key) =>
      key !== current &&
      key.state === 'issued' &&
      (key.expiresAt === undefined || key.expiresAt * 1000 > nowMs),
  );
  if (unused.length < MAX_UNUSED_KEYS) return;
  throw new FleetError(
    'ERR_FLEET_STATE',
    `the peel "${record?.id ?? ''}" has ${unused.length} unused new keys: connect with one of them first`,
    record && { peelId: record.id },
  );
}

function limitNewKeys(record: PeelRecord | undefined, nowMs: number): void {
  const since = nowMs - KEYS_COUNTED_MS;
  const made = (record?.keys ?? []).filter(({ addedAt = '' }) => Date.parse(addedAt) >= since);
  if (made.length < MAX_KEYS_A_DAY) return;
  throw new FleetError(
    'ERR_FLEET_RATE',
    `the peel "${record?.id ?? ''}" has requested ${made.length} new keys within a day: wait, or find out why it rotates so often`,
    record && { peelId: record.id },
  );
}
