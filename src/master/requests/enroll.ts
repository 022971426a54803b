// Answers join requests with a token, and recovery requests of peels.
import type { NatsConnection } from '@nats-io/nats-core';
import { errorTraits } from '../../error-traits.js';
import { FleetError } from '../../errors.js';
import type { Actor } from '../../protocol/records/actor.js';
import { fingerprint } from '../../protocol/fingerprint.js';
import { addedLabels } from '../../protocol/records/labels.js';
import type { JoinToken } from '../../protocol/records/join-token.js';
import { joinProof } from '../../protocol/proofs.js';
import {
  isAccepted,
  keyOf,
  keyToDecide,
  notAcceptedError,
  type PeelKey,
  type PeelRecord,
} from '../../protocol/records/record.js';
import { peelIdOfRecoveryName, recoveryInboxPrefix } from '../../permissions/recovery.js';
import { joinInboxPrefix, tokenIdOfName } from '../../permissions/roles.js';
import { checkProof } from './check-proof.js';
import type { MasterContext } from '../context.js';
import { challengeToRecover, recover } from './recover.js';
import type { JoinRequest, PolicyDecision } from './policy.js';
import { checkFresh, decideFresh } from '../registry/decide-fresh.js';
import { isAnswerTo, jwtsOf, nextFacts } from '../trust/issued-jwt.js';
import { claimId, claimKey, idTaken, keyTaken, withClaims } from '../registry/key-claim.js';
import type { RefusalAudit } from '../audit/refusal-audit.js';
import type { Decision } from '../registry/registry.js';
import { RequestService, type Call } from './service.js';
import { TokenUses, usableToken } from '../registry/join-tokens.js';
import { subjectFor, subjectsOf } from '../../permissions/names.js';

/** Answers callers with a join token or a recovery credential: requests to join or to recover. */
export function startEnrollService(
  context: MasterContext,
  nc: NatsConnection,
  refusals: RefusalAudit,
  onExcess?: (caller: string, bytes: number) => void,
): RequestService<'challenge' | 'join' | 'recover'> {
  const uses = new TokenUses(context);
  return new RequestService(
    context,
    {
      nc,
      inboxes: (caller) => {
        const peelId = peelIdOfRecoveryName(caller);
        if (peelId !== undefined) return [recoveryInboxPrefix(peelId)];
        const tokenId = tokenIdOfName(caller);
        return tokenId === undefined ? [] : [joinInboxPrefix(tokenId)];
      },
      subject: subjectsOf('enroll'),
      subjects: {
        challenge: subjectFor.enroll('*', 'challenge'),
        join: subjectFor.enroll('*', 'join'),
        recover: subjectFor.enroll('*', 'recover'),
      },
      handlers: {
        challenge: (call) =>
          peelIdOfRecoveryName(call.caller) === undefined
            ? challenge(context, call)
            : challengeToRecover(context, call),
        join: (call) => join(context, uses, call),
        recover: (call) => recover(context, call),
      },
      authenticate: ({ caller, name }) => {
        const isRecovery = peelIdOfRecoveryName(caller) !== undefined;
        // a join token cannot recover, and a recovery credential cannot join
        const wanted = name === 'challenge' || (name === 'recover') === isRecovery;
        if ((isRecovery || tokenIdOfName(caller) !== undefined) && wanted) return actorOf(caller);
        throw new FleetError(
          'ERR_FLEET_DENIED',
          name === 'recover'
            ? 'these credentials are not a recovery credential: they cannot request a recovery'
            : 'these credentials are not a join token: they cannot request to join',
        );
      },
      claimed: actorOf,
      peelId: peelIdOfRecoveryName,
      signed: true,
      ...(onExcess && { onExcess }),
      // a thousand hosts may share one token and start at once
      rate: { perSecond: 100, burst: 3_000, refusalsPerSecond: 20 },
      queue: { running: 256, runningPerCaller: 64, waiting: 20_000, waitingPerCaller: 3_000 },
      audited: (code) => errorTraits(code)?.audited !== 'never',
    },
    refusals,
  );
}

function actorOf(user: string): Actor {
  const peelId = peelIdOfRecoveryName(user);
  if (peelId !== undefined) return { kind: 'peel', name: peelId };
  const tokenId = tokenIdOfName(user);
  return tokenId === undefined ? { kind: 'unknown', name: user } : { kind: 'token', name: tokenId };
}

async function challenge(context: MasterContext, { request, caller: user, by }: Call<'challenge'>) {
  const { peelId, publicKey } = request;
  await usableToken(context, by.name, peelId);
  // refuse early if no JWT could be issued later
  await checkFresh(context.registry, peelId, (record) => checkId(context, record, peelId, publicKey));
  const value = await context.challenges.issue({ user, peelId, publicKey });
  return { challenge: value, now: context.now() };
}

/**
 * Each step is idempotent, because a peel retries the same request if a master dies in the middle: the challenge
 * belongs to this request, a use of the token is counted once per key (of its last 200 uses), and the record has the key.
 */
async function join(context: MasterContext, uses: TokenUses, call: Call<'join'>) {
  const { request, caller: user, by } = call;
  const { registry, metrics, now } = context;
  const { requestId, peelId, publicKey } = request;
  const token = await usableToken(context, by.name, peelId);
  const proof = joinProof({ user, peelId, publicKey, challenge: request.challenge });
  checkProof('the request', proof, request, peelId);
  await context.challenges.redeem(request.challenge, { user, peelId, publicKey }, requestId);
  const known = await checkFresh(registry, peelId, (found) => checkId(context, found, peelId, publicKey));
  // before anything is claimed: a policy may take a while
  const policyAnswer = await askPolicy(context, call, token);
  const keyClaim = await claimKey(context, publicKey, peelId);
  const use = { tokenId: token.id, peelId, publicKey };
  const decide = (): Promise<Decided> => decideJoin(context, call, token, policyAnswer);
  const { record, changed } = await withClaims([keyClaim], async () => {
    if (known !== undefined) return decide();
    // if several keys request one ID concurrently, only the first uses the token
    const idClaim = await claimId(context, peelId, publicKey);
    return withClaims([idClaim], async () => {
      await uses.count(use);
      return uses.returnIfRefused(use, decide);
    });
  });
  if (record.state === 'rejected') throw notAcceptedError(record);
  if (!isAccepted(record)) {
    return { state: 'pending' as const, now: now(), requestId, fingerprint: fingerprint(publicKey) };
  }
  if (changed) metrics.issued.inc({ why: 'join' });
  return {
    state: 'accepted' as const,
    ...jwtsOf(context, record, publicKey),
    now: now(),
    requestId,
  };
}

type Decided = { record: PeelRecord; changed: boolean };

/** The policy's decision, and the facts that it is based on. */
interface PolicyAnswer {
  decision: PolicyDecision;
  returning: boolean;
}

/** Asks the policy about a join request, unless the peel is already accepted. */
async function askPolicy(
  { registry, policy }: MasterContext,
  { request: { peelId, publicKey } }: Call<'join'>,
  { id, ids, labels }: JoinToken,
): Promise<PolicyAnswer | undefined> {
  const record = registry.get(peelId);
  if (record !== undefined && isAccepted(record)) return undefined;
  const returning = isReturning(record, record && keyOf(record, publicKey));
  const request: JoinRequest = {
    peelId,
    publicKey,
    fingerprint: fingerprint(publicKey),
    how: 'token',
    // a join token authorizes its holder
    trusted: true,
    returning,
    token: Object.freeze({
      id,
      ...(ids !== undefined && { ids }),
      ...(labels !== undefined && { labels: Object.freeze({ ...labels }) }),
    }),
  };
  return { decision: await policy.ask(request), returning };
}

/** Whether the ID had another key before: only an admin or a policy function may accept it again. */
function isReturning(record: PeelRecord | undefined, key: PeelKey | undefined): boolean {
  return record !== undefined && (record.keys.length !== 1 || key === undefined);
}

/** The outcome of a join request whose token, proof and claims are valid: accepted, rejected or pending. */
async function decideJoin(
  context: MasterContext,
  { request: { requestId, peelId, publicKey }, by }: Call<'join'>,
  token: JoinToken,
  policyAnswer: PolicyAnswer | undefined,
): Promise<Decided> {
  const { registry, policy } = context;
  const origin = `join token ${token.id}`;
  const holder: Actor = { ...by, publicKey: token.publicKey };
  const automatic: Actor = { kind: 'policy', name: policy.name };
  const decide = (record: PeelRecord | undefined): Decision | undefined => {
    const key = checkId(context, record, peelId, publicKey);
    // a known key does not get the token's labels again: an admin may have changed them since
    const labels = key === undefined ? addedLabels(record?.labels, token.labels) : undefined;
    const added = labels === undefined ? {} : { labels };
    const issue = (actor: Actor): Decision => {
      const facts = nextFacts(context, { publicKey, key, requestId });
      // a key in use stays in use
      const kind = key?.state === 'live' ? 'key.renewed' : 'key.issued';
      return {
        change: { kind, key: facts, ...(kind === 'key.issued' && { origin, ...added }) },
        by: actor,
        from: token.id,
      };
    };
    if (record !== undefined && isAccepted(record)) {
      return key !== undefined && isAnswerTo(context, key, requestId) ? undefined : issue(holder);
    }
    // the decision counts only for the facts that the policy saw
    if (policyAnswer?.decision === 'accept' && policyAnswer.returning === isReturning(record, key))
      return issue(automatic);
    if (key !== undefined) return undefined;
    return { change: { kind: 'peel.requested', publicKey, origin, ...added }, by: holder, from: token.id };
  };
  const decided = await decideFresh(registry, peelId, decide);
  if (policyAnswer?.decision !== 'reject' || decided.record.state !== 'pending') return decided;
  // record the request first, then the rejection
  return decideFresh(registry, peelId, (record) => {
    const isSame = record !== undefined && keyToDecide(record)?.publicKey === publicKey;
    return isSame
      ? { change: { kind: 'peel.rejected' }, by: automatic, from: token.id, publicKey }
      : undefined;
  });
}

/**
 * Checks that this key may request this ID.
 *
 * @returns the key in the record; undefined: it is new
 * @throws FleetError `ERR_FLEET_KEY_TAKEN`, `ERR_FLEET_ID_TAKEN`, `ERR_FLEET_REVOKED`, and as `notAcceptedError`
 */
function checkId(
  { registry }: MasterContext,
  record: PeelRecord | undefined,
  peelId: string,
  publicKey: string,
): PeelKey | undefined {
  const owner = registry.ownerOf(publicKey);
  if (owner !== undefined && owner !== peelId) throw keyTaken(publicKey);
  if (record === undefined) return undefined;
  const key = keyOf(record, publicKey);
  const over = record.state === 'rejected' || record.state === 'revoked';
  if (key === undefined) {
    // a locked-out peel may return with a new key
    if (over) return undefined;
    throw idTaken(peelId);
  }
  if (over) throw notAcceptedError(record);
  if (key.state === 'requested' || key.state === 'issued' || key.state === 'live') return key;
  throw new FleetError(
    'ERR_FLEET_REVOKED',
    `the key ${publicKey} of the peel "${peelId}" is ${key.state}: join with a new one`,
    { peelId, final: true },
  );
}
