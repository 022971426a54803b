// Admin requests that create, list and remove join tokens.
import { FleetError } from '../../../errors.js';
import { labelText } from '../../../protocol/records/labels.js';
import type { JoinToken } from '../../../protocol/records/join-token.js';
import { joinName, TOKEN_ID } from '../../../permissions/roles.js';
import type { MasterContext } from '../../context.js';
import { nextIssueTime } from '../../trust/issued-jwt.js';
import type { Call } from '../service.js';
import { removeJoinToken } from '../../registry/join-tokens.js';
import { isJoinIssuer } from '../../../trust/keys/signing-keys.js';
import { checkNewKey } from '../check-proof.js';
import { claimTokenKey, withClaims } from '../../registry/key-claim.js';
import type { Actor } from '../../../protocol/records/actor.js';
import { excerpt } from '../../../text/excerpt.js';
import { CONFIRM_TIMEOUT_MS, ENDED_TOKEN_KEPT_MS } from '../../../timing.js';

/**
 * Join tokens of one admin that have not expired. The revocation of a removed one stays in the account JWT until it expires,
 * and the servers accept some ten thousand revocations in all: an admin must not use them up, since then nothing could be
 * revoked.
 */
const MAX_TOKENS = 2_000;
/** With those that its programs made for people with lower roles. */
const MAX_TOKENS_OF_ALL_ROLES = 3_000;

/** `token.create`: issues credentials for a key that the admin made; they can only request to join. */
export async function createToken(context: MasterContext, { request, by }: Call<'token.create'>) {
  const { tokens, issuer, audit } = context;
  const { publicKey, tokenId, ttl, uses, ids, labels } = request;
  joinName(tokenId);
  checkNewKey(by, { request: 'token.create', id: tokenId, publicKey }, request.signature);
  const { joinIssuer } = issuer;
  if (joinIssuer === undefined) {
    throw new FleetError(
      'ERR_FLEET_KEY_OFFLINE',
      'this master has no signing key for join tokens: run "zester keys add join-signing" in its home',
    );
  }
  await deleteOldTokens(context);
  requireFewTokens(context, by);
  const createdAt = Math.floor(nextIssueTime(context, publicKey, undefined) / 1000) * 1000;
  const make = (stored: JoinToken | undefined): JoinToken | undefined => {
    // a retry of the same request, whose answer was lost
    if (stored?.publicKey === publicKey) return undefined;
    if (stored !== undefined) {
      throw new FleetError(
        'ERR_FLEET_ID_TAKEN',
        `the join token ${tokenId} already exists: choose another ID`,
      );
    }
    return {
      id: tokenId,
      publicKey,
      issuer: joinIssuer,
      createdAt: new Date(createdAt).toISOString(),
      expiresAt: new Date(createdAt + ttl * 1000).toISOString(),
      createdBy: by,
      uses,
      used: 0,
      usedBy: [],
      ...(ids !== undefined && { ids }),
      ...(labels !== undefined && { labels }),
    };
  };
  const claim = await claimTokenKey(context, publicKey, tokenId);
  const { value, written } = await withClaims([claim], () => tokens.change(tokenId, make));
  const token = value ?? unknownToken(tokenId);
  if (written) {
    audit.note({
      kind: 'token.created',
      by,
      publicKey,
      detail: {
        token: tokenId,
        uses,
        expiresAt: token.expiresAt,
        ...(ids !== undefined && { ids }),
        ...(labels !== undefined && { labels: labelText(labels) }),
      },
    });
  }
  const from = Date.parse(token.createdAt);
  const jwt = issuer.tokenJwt(tokenId, publicKey, from, (Date.parse(token.expiresAt) - from) / 1000);
  return { jwt, token: forAdmins(token) };
}

/** @throws FleetError `ERR_FLEET_RATE` */
function requireFewTokens({ tokens, trust, now }: MasterContext, { name, role }: Actor): void {
  let own = 0;
  let all = 0;
  for (const [, { createdBy, expiresAt, issuer }] of tokens.entries()) {
    // servers refuse the tokens of a key that was removed
    const isSigned = issuer === undefined || isJoinIssuer(trust.claims, issuer);
    if (createdBy.name !== name || !isSigned || Date.parse(expiresAt) <= now()) continue;
    all += 1;
    if (createdBy.role === role) own += 1;
  }
  if (own < MAX_TOKENS && all < MAX_TOKENS_OF_ALL_ROLES) return;
  throw new FleetError(
    'ERR_FLEET_RATE',
    `${all} join tokens of this admin have not expired: wait, or make fewer of them, for more hosts each (--uses)`,
  );
}

/** A token without what only masters need. */
function forAdmins(token: JoinToken): JoinToken {
  return { ...token, usedBefore: undefined };
}

/** The bytes of an answer besides its tokens. */
const ANSWER_OVERHEAD = 256;

/**
 * `token.list`: newest first. A list that does not fit a message omits the peels that used each token, and then the
 * oldest tokens, with their number: the list works for any number of tokens.
 */
export async function listTokens({ tokens, nc }: Pick<MasterContext, 'tokens' | 'nc'>) {
  const maxBytes = (nc.info?.max_payload ?? Infinity) - ANSWER_OVERHEAD;
  const all = [...tokens.entries()].map(([, token]) => forAdmins(token));
  all.sort((a, b) => (a.createdAt > b.createdAt ? -1 : 1));
  const sizeOf = (token: JoinToken) => Buffer.byteLength(JSON.stringify(token)) + 1;
  if (all.reduce((sum, token) => sum + sizeOf(token), 0) <= maxBytes) return { tokens: all };
  let room = maxBytes;
  const shown: JoinToken[] = [];
  for (const token of all.map((one) => ({ ...one, usedBy: [] }))) {
    room -= sizeOf(token);
    if (room < 0) break;
    shown.push(token);
  }
  return { tokens: shown, ...(shown.length < all.length && { omitted: all.length - shown.length }) };
}

/**
 * `token.remove`: refuses joins with the token from now on. The watching master revokes its key, which also closes its
 * connections.
 *
 * @throws FleetError `ERR_FLEET_TOKEN_UNKNOWN`; `ERR_FLEET_UNCONFIRMED` when a server has not confirmed in time
 */
export async function removeToken(context: MasterContext, { request, by }: Call<'token.remove'>) {
  const { tokenId } = request;
  // not a key of the bucket: its error would be logged, however long the key is
  if (!TOKEN_ID.test(tokenId)) unknownToken(tokenId);
  const token = (await removeJoinToken(context, tokenId, by)) ?? unknownToken(tokenId);
  return { token: forAdmins(await revokedEverywhere(context, token)) };
}

async function revokedEverywhere(
  { tokens, watching, now }: MasterContext,
  removed: JoinToken,
): Promise<JoinToken> {
  const isDone = ({ revokedAt, expiresAt }: JoinToken) =>
    revokedAt !== undefined || Date.parse(expiresAt) <= now();
  const confirmed = await new Promise<JoinToken | undefined>((resolve) => {
    const check = (token: JoinToken | undefined) => {
      if (token !== undefined && isDone(token)) end(token);
    };
    const stop = tokens.onChange((id, token) => {
      if (id === removed.id) check(token);
    });
    const timer = setTimeout(() => end(undefined), CONFIRM_TIMEOUT_MS);
    const end = (token: JoinToken | undefined) => {
      clearTimeout(timer);
      stop();
      resolve(token);
    };
    check(removed);
    check(tokens.get(removed.id));
  });
  if (confirmed !== undefined) return confirmed;
  const why =
    watching() === undefined ? 'no master is following the servers' : 'not all servers have confirmed';
  throw new FleetError(
    'ERR_FLEET_UNCONFIRMED',
    `the join token ${removed.id} is removed, so nobody can join with it, but some server may still accept its credentials ` +
      `(${why}): the masters keep trying until every server refuses them`,
  );
}

function unknownToken(tokenId: string): never {
  throw new FleetError(
    'ERR_FLEET_TOKEN_UNKNOWN',
    `no join token "${excerpt(tokenId)}": see "zester join-token list"`,
  );
}

async function deleteOldTokens({ tokens, now }: MasterContext): Promise<void> {
  const isOld = ({ expiresAt, removedAt }: JoinToken) =>
    Math.min(Date.parse(expiresAt), Date.parse(removedAt ?? expiresAt)) + ENDED_TOKEN_KEPT_MS < now();
  const old = [...tokens.entries()].filter(
    ([, token]) => isOld(token) && Date.parse(token.expiresAt) < now(),
  );
  for (const [id] of old) await tokens.delete(id);
}
