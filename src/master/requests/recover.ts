// Answers peels that recover after their credential has expired.
import { FleetError, ZesterError } from '../../errors.js';
import { accountOf } from '../../jwt/account-of.js';
import { isRevoked } from '../../jwt/chain.js';
import type { UserClaims } from '../../jwt/claims.js';
import { decodeUserJwt } from '../../jwt/decode.js';
import { hasExpired } from '../../jwt/expiry.js';
import { nowSeconds } from '../../jwt/time.js';
import { peelIdOfRecoveryName, recoveriesOf } from '../../permissions/recovery.js';
import { fingerprint } from '../../protocol/fingerprint.js';
import { recoveryProof } from '../../protocol/proofs.js';
import { keyOf, notAcceptedError, type PeelRecord } from '../../protocol/records/record.js';
import { signingKeyOf } from '../../trust/create/adopt.js';
import { isJoinIssuer } from '../../trust/keys/signing-keys.js';
import type { MasterContext } from '../context.js';
import { checkFresh, decideFresh } from '../registry/decide-fresh.js';
import { claimKey, withClaims } from '../registry/key-claim.js';
import type { Decision } from '../registry/registry.js';
import { notifyPeel } from '../revocation/notices.js';
import { canRecreate, jwtsOf, nextFacts } from '../trust/issued-jwt.js';
import { checkProofOfBoth } from './check-proof.js';
import { judgeRecovery, type RecoveryVerdict } from './judge-recovery.js';
import type { Call } from './service.js';

/** `challenge`, requested with a recovery credential: for its own peel only. */
export async function challengeToRecover(
  context: MasterContext,
  { request: { peelId, publicKey }, caller: user }: Call<'challenge'>,
) {
  if (peelId !== peelIdOfRecoveryName(user)) {
    throw new FleetError('ERR_FLEET_DENIED', 'the recovery credential is for another peel', { peelId });
  }
  // refuse early if no answer would be possible later
  await checkFresh(context.registry, peelId, (record) => {
    if (record?.state === 'rejected' || record?.state === 'revoked') throw notAcceptedError(record);
  });
  const value = await context.challenges.issue({ user, peelId, publicKey });
  return { challenge: value, now: context.now() };
}

/**
 * `recover`: issues a JWT for a new key of a peel whose credential has expired. Each step is idempotent, because a peel
 * retries the same request if a master dies in the middle.
 */
export async function recover(context: MasterContext, call: Call<'recover'>) {
  const { recoveries } = context.metrics;
  try {
    const answer = await answerRecovery(context, call);
    recoveries.inc({ outcome: answer.outcome });
    return answer.answer;
  } catch (error) {
    const isCloned = error instanceof FleetError && error.code === 'ERR_FLEET_CLONED';
    recoveries.inc({ outcome: isCloned ? 'cloned' : 'refused' });
    throw error;
  }
}

async function answerRecovery(context: MasterContext, call: Call<'recover'>) {
  const { request, caller: user } = call;
  const { registry, metrics, now } = context;
  const { requestId, publicKey, newPublicKey } = request;
  const peelId = peelIdOfRecoveryName(user) ?? '';
  checkCredential(context, user, request);
  checkProofOfBoth('the request to recover', recoveryProof({ ...request, peelId }), request, peelId);
  const challenged = { user, peelId, publicKey: newPublicKey };
  await context.challenges.redeem(request.challenge, challenged, requestId);
  const judged = (record: PeelRecord | undefined): RecoveryVerdict => {
    const { issuedAt, issuer } = (record && keyOf(record, publicKey)) ?? {};
    const { claims } = context.trust;
    const { revocations = {} } = claims.nats;
    const signerRemoved =
      issuer !== undefined && issuer !== claims.sub && signingKeyOf(claims, issuer) === undefined;
    const revokedInAccount = issuedAt !== undefined && isRevoked(revocations, publicKey, issuedAt);
    return judgeRecovery(
      record,
      { ...request, revokedInAccount, signerRemoved },
      context.recovery,
      nowSeconds(now),
    );
  };
  // notify before revoking; otherwise the original reconnects until it requests a recovery, too
  const expected = judged(await registry.refresh(peelId));
  if (expected.is === 'cloned') {
    notifyPeel(context, { kind: 'ended', peelId, code: 'ERR_FLEET_REVOKED', reason: expected.reason });
  }
  const claim = await claimKey(context, newPublicKey, peelId);
  let verdict: RecoveryVerdict = expected;
  const { record, changed } = await withClaims([claim], () =>
    decideFresh(registry, peelId, (current) => {
      verdict = judged(current);
      return decisionOf(context, call, peelId, verdict, current);
    }),
  );
  // assigned by the last call of the callback
  const final = verdict as RecoveryVerdict;
  switch (final.is) {
    case 'recover':
    case 'again': {
      if (changed) {
        metrics.issued.inc({ why: 'recover' });
        auditRecovered(context, call, peelId, final);
      }
      const answer = {
        state: 'recovered' as const,
        ...jwtsOf(context, record, newPublicKey),
        now: now(),
        requestId,
      };
      return { outcome: final.is === 'recover' ? 'recovered' : 'repeated', answer };
    }
    case 'pending': {
      const answer = {
        state: 'pending' as const,
        now: now(),
        requestId,
        fingerprint: fingerprint(newPublicKey),
      };
      return { outcome: 'pending', answer };
    }
    case 'notExpired':
      return { outcome: 'not_expired', answer: { state: 'notExpired' as const, now: now(), requestId } };
    case 'cloned':
      if (changed) reportCloned(context, peelId, publicKey, final.reason);
      throw new FleetError('ERR_FLEET_CLONED', `the peel "${peelId}" is revoked: ${final.reason}`, {
        peelId,
        final: true,
      });
    case 'refused':
      throw final.error;
  }
}

/** The change that a verdict makes to the record; undefined: none. @throws FleetError of a refusal */
function decisionOf(
  context: MasterContext,
  { request: { requestId, publicKey, newPublicKey }, by }: Call<'recover'>,
  peelId: string,
  verdict: RecoveryVerdict,
  record: PeelRecord | undefined,
): Decision | undefined {
  const { now, actor } = context;
  const key = record && keyOf(record, newPublicKey);
  const peel = { ...by, publicKey };
  const facts = () => nextFacts(context, { publicKey: newPublicKey, key, requestId });
  switch (verdict.is) {
    case 'recover': {
      const { number: recovery } = verdict;
      return { change: { kind: 'key.rotated', key: facts(), replaces: publicKey, recovery }, by: peel };
    }
    case 'again':
      // another master may have signed it, with a key of its own
      return key !== undefined && canRecreate(context, key)
        ? undefined
        : { change: { kind: 'key.renewed', key: facts() }, by: peel };
    case 'pending':
      return verdict.isNew
        ? {
            change: {
              kind: 'peel.requested',
              publicKey: newPublicKey,
              origin: 'recovery after expiry',
              replaces: publicKey,
            },
            by: peel,
          }
        : undefined;
    case 'cloned':
      return {
        change: { kind: 'peel.revoked', upTo: nowSeconds(now) },
        by: actor,
        reason: verdict.reason,
        publicKey,
      };
    case 'notExpired':
      return undefined;
    case 'refused':
      throw verdict.error;
  }
}

/** @throws FleetError `ERR_FLEET_DENIED` for a credential that is not this peel's recovery credential */
function checkCredential(
  { trust, now }: MasterContext,
  user: string,
  { credential, publicKey, count }: Call<'recover'>['request'],
): void {
  const denied = (why: string) =>
    new FleetError('ERR_FLEET_DENIED', `the recovery credential is not accepted: ${why}`);
  let claims: UserClaims;
  try {
    claims = decodeUserJwt(credential);
  } catch (error) {
    if (!(error instanceof ZesterError)) throw error;
    throw denied(error.message);
  }
  if (!isJoinIssuer(trust.claims, claims.iss) || accountOf(claims) !== trust.claims.sub)
    throw denied("it is not signed by one of the account's keys for join tokens");
  if (claims.name !== user) throw denied('it belongs to another peel');
  if (claims.sub !== publicKey) throw denied(`it is for ${claims.sub}, not for ${publicKey}`);
  if (recoveriesOf(claims) !== count) throw denied('its counter differs');
  if (hasExpired(claims, now())) throw denied('it has expired');
}

function auditRecovered(
  { audit }: MasterContext,
  { request: { publicKey: replaces, newPublicKey: publicKey }, by }: Call<'recover'>,
  peelId: string,
  verdict: RecoveryVerdict,
): void {
  if (verdict.is !== 'recover') return;
  const detail = { recovery: verdict.number, replaces };
  audit.note({ kind: 'peel.recovered', by: { ...by, publicKey: replaces }, peelId, publicKey, detail });
}

function reportCloned(
  { audit, actor, logger }: MasterContext,
  peelId: string,
  publicKey: string,
  reason: string,
): void {
  audit.note({ kind: 'peel.cloned', by: actor, peelId, publicKey, code: 'ERR_FLEET_CLONED', reason });
  logger.warn(
    { peelId, publicKey, code: 'ERR_FLEET_CLONED' },
    `${reason}: it was revoked; find the copy, then "zester peel add ${peelId} --replace"`,
  );
}
