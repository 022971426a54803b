// The schemas of requests and answers between admins, peels and masters.
import type { Msg, MsgHdrs } from '@nats-io/nats-core';
import * as v from 'valibot';
import { FleetError, holdsSeed, ZesterError, type FleetErrorCode } from '../errors.js';
import { MAX_CLAIM_SECONDS } from '../jwt/time.js';
import { isPublicKey } from '../nkeys/validate.js';
import { isPeelId } from '../permissions/peel-id.js';
import { ADDED_ROLES } from '../permissions/admin-roles.js';
import { TOKEN_ID } from '../permissions/roles.js';
import { isNestedDeeper } from '../text/json-depth.js';
import { knownEvents } from './records/known-events.js';
import { PEEL_PATTERN } from './glob.js';
import { PEEL_STATES, recordSchema, type PeelRecord } from './records/record.js';
import { MAX_SELECTOR } from './label-selector.js';
import { labelNamesSchema, labelsSchema, storedLabelsSchema } from './records/labels.js';
import { tokenSchema } from './records/join-token.js';
import { PEEL_ORDERS } from './records/peel-order.js';
import { excerpt } from '../text/excerpt.js';
import { presenceSchema, type Presence } from './records/presence.js';

/** Larger than any request of this protocol. */
export const MAX_REQUEST_BYTES = 64 * 1024;

/** In seconds: a hundred years. Use 0 for "never expires" instead. */
const MAX_EXPIRY = 100 * 366 * 86_400;

/** The maximum nesting of arrays and objects in a message, a record or an answer. */
export const MAX_JSON_DEPTH = 32;

const peelId = v.pipe(
  v.string(),
  v.check((text: string) => isPeelId(text), 'is not a peel ID'),
);
const noSeed = v.check((text: string) => !holdsSeed(text), 'holds a seed');
const publicKey = v.pipe(
  v.string(),
  v.check((text: string) => isPublicKey(text, 'user'), 'is not a user public key (U…)'),
);
/** Chosen by the caller; a retry of an unanswered request reuses it. */
const requestId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{8,64}$/, 'is not a request ID'));
export const requestIdSchema = requestId;
const signature = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{86}$/, 'is not a signature'));
const challenge = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{20,64}$/, 'is not a challenge'));
const reason = v.optional(v.pipe(v.string(), v.maxLength(500), noSeed));
/** Any form of time that JavaScript reads, in the one that JetStream reads: it ignores a request with another. */
const time = v.pipe(
  v.string(),
  v.check(
    (text: string) => Date.parse(text) >= 0 && Date.parse(text) / 1000 <= MAX_CLAIM_SECONDS,
    'is not a time',
  ),
  v.transform((text: string) => new Date(text).toISOString()),
);
/**
 * The rules for this role apply to the request, if the admin's own is higher: for programs that serve several people. Older
 * masters ignore it.
 */
const asRole = v.optional(v.picklist(ADDED_ROLES));
/** A glob over peel IDs: `*` and `?`. */
const pattern = v.pipe(v.string(), v.regex(PEEL_PATTERN, 'is not a pattern of peel IDs (* and ?)'), noSeed);
/** A glob over the kinds of audit events. */
const kindPattern = v.pipe(v.string(), v.regex(/^[a-z.*?]{1,64}$/, 'is not a pattern of kinds (* and ?)'));

/** A number of seconds since 1970, in a claim. */
const claimTime = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_CLAIM_SECONDS));
/** The recovery credential that a peel has for its key. */
export const heldRecoverySchema = v.object({
  issuer: v.pipe(
    v.string(),
    v.check((text: string) => isPublicKey(text, 'account'), 'is not an account public key (A…)'),
  ),
  issuedAt: claimTime,
  expiresAt: claimTime,
  /** The number of the peel's recoveries when it was issued. */
  count: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
/** The facts of a recovery credential. */
export type HeldRecovery = v.InferOutput<typeof heldRecoverySchema>;

/** The requests, by name. */
export const requests = {
  /** On `zester.auth.<id>.renew`: a new JWT for the key in use. */
  renew: v.object({
    requestId,
    publicKey,
    /** The answer has another only if this one will not do. Older masters ignore it, and always send another. */
    recovery: v.optional(heldRecoverySchema),
  }),
  /** On `zester.auth.<id>.rotate`: a JWT for a new key. Both keys sign {@link rotationProof}. */
  rotate: v.object({ requestId, publicKey, newPublicKey: publicKey, signature, newSignature: signature }),
  /** On `zester.enroll.<user>.challenge`. */
  challenge: v.object({ peelId, publicKey }),
  /** On `zester.enroll.<token>.join`: the key signs {@link joinProof}. */
  join: v.object({ requestId, peelId, publicKey, challenge, signature }),
  /** On `zester.enroll.<recovery user>.recover`: both keys sign {@link recoveryProof}. */
  recover: v.object({
    requestId,
    /** The last key that the peel knows. */
    publicKey,
    newPublicKey: publicKey,
    /** The number of the peel's recoveries, from its recovery credential. */
    count: v.pipe(v.number(), v.integer(), v.minValue(0)),
    /** The JWT of the recovery credential. */
    credential: v.pipe(v.string(), v.maxLength(8_192), noSeed),
    challenge,
    signature,
    newSignature: signature,
  }),
  'peel.add': v.object({
    requestId,
    peelId,
    publicKey,
    /** The lifetime in seconds; by default the master's. 0 = never expires. */
    expiry: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_EXPIRY))),
    /** If the ID exists, replace its key. */
    replace: v.optional(v.boolean()),
    /** Older masters ignore them, and omit them from the answer. */
    labels: v.optional(labelsSchema),
    /** The key signs {@link newKeyProof}. Required of added admins. Older masters ignore it. */
    signature: v.optional(signature),
    asRole,
  }),
  'peel.accept': v.object({
    peelId,
    reason,
    asRole,
    /** Only a key with this fingerprint: another host could have requested the same ID. Older masters ignore it. */
    fingerprint: v.optional(v.pipe(v.string(), v.maxLength(64), noSeed)),
    /** Older masters ignore them: the record in the answer has the peel's actual labels. */
    labels: v.optional(labelsSchema),
  }),
  'peel.reject': v.object({ peelId, reason, asRole }),
  'peel.revoke': v.object({
    peelId,
    reason,
    asRole,
    /** Revoke only this key. */
    publicKey: v.optional(publicKey),
  }),
  'peel.rotate': v.object({
    peelId,
    asRole,
    /** ISO 8601: skip a peel whose key was issued at this time or later. */
    since: v.optional(time),
    /** Skip a peel that no longer uses this key. Older masters rotate it all the same. */
    publicKey: v.optional(publicKey),
  }),
  /** Other labels stay. */
  'peel.label': v.object({
    peelId,
    set: v.optional(labelsSchema),
    remove: v.optional(labelNamesSchema),
    reason,
    asRole,
  }),
  'peel.list': v.object({
    pattern: v.optional(pattern),
    state: v.optional(v.picklist(PEEL_STATES)),
    /** In seconds: only peels whose credential expires within this time. */
    expiringWithin: v.optional(v.number()),
    connected: v.optional(v.boolean()),
    /** A label selector. Older masters ignore it. */
    labels: v.optional(v.pipe(v.string(), v.maxLength(MAX_SELECTOR))),
    /** Only peels whose IDs come after this one: the next page. Older masters ignore it. */
    after: v.optional(peelId),
    /** Only the first peels by ID, up to this number. Older masters ignore it. */
    limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
    /** Only the first peels in this order; the answer itself is unordered. Older masters ignore it. */
    top: v.optional(
      v.object({ by: v.picklist(PEEL_ORDERS), limit: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
    ),
  }),
  'peel.show': v.object({
    peelId,
    /** The number of its last events to return. */
    events: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(200))),
  }),
  'token.create': v.object({
    /** The key of the token's user. The caller generates it; the seed stays with the caller. */
    publicKey,
    tokenId: v.pipe(v.string(), v.regex(TOKEN_ID, 'is not a token ID')),
    /** In seconds. */
    ttl: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(366 * 86_400)),
    uses: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000)),
    ids: v.optional(pattern),
    /** The labels of peels that join with it. Older masters ignore them: see the token in the answer. */
    labels: v.optional(labelsSchema),
    /** The key signs {@link newKeyProof}. Required of added admins. Older masters ignore it. */
    signature: v.optional(signature),
    asRole,
  }),
  'token.list': v.object({}),
  'token.remove': v.object({ tokenId: v.string(), asRole }),
  audit: v.object({
    peelId: v.optional(peelId),
    /** ISO 8601. */
    since: v.optional(time),
    /** ISO 8601. */
    until: v.optional(time),
    /** Only events stored after this stream sequence; `since` is then ignored. */
    after: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    /** Only about peels that match one of these patterns. */
    patterns: v.optional(v.pipe(v.array(pattern), v.minLength(1), v.maxLength(100))),
    /** Only kinds that match one of these globs. */
    kinds: v.optional(v.pipe(v.array(kindPattern), v.minLength(1), v.maxLength(100))),
    /** Only the last events, up to this number; by default all. */
    last: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  }),
  status: v.object({}),
  /** Streams changes of presence, for a limited time. Older masters do not know it. */
  'presence.watch': v.object({}),
  /** Carries out the held revocations. */
  'master.resume': v.object({ reason, asRole }),
} as const;

export type RequestName = keyof typeof requests;
/** The content of a request with this name. */
export type RequestOf<N extends RequestName> = v.InferOutput<(typeof requests)[N]>;

/** Milliseconds since 1970 by the master's clock, from which a peel computes its own clock's error. */
const now = v.number();
const jwt = v.string();
/** The JWT of a recovery credential, for the same key. Omitted by older masters, if recovery is not allowed, and if the peel needs no other. */
const recovery = v.optional(v.string());

/** The answer to a renewal or a rotation. */
const credentialAnswer = v.object({
  jwt,
  now,
  requestId,
  recovery,
  /** The peel must rotate its key next. */
  rotate: v.optional(v.boolean()),
});

/** A peel in a list. */
export interface ListedPeel {
  record: PeelRecord;
  /** Its connections, and when it was last seen; absent: it has never connected. */
  presence?: Presence | undefined;
}
const listedPeelSchema = v.object({ record: recordSchema, presence: v.optional(presenceSchema) });

/** The number of peels, and since when (ISO 8601). */
const heldSchema = v.object({ peels: v.number(), since: v.string() });

/** The answers, by request. `peel.list`, `audit` and `presence.watch` are streamed; an empty message ends a stream. */
export const answers = {
  renew: credentialAnswer,
  rotate: credentialAnswer,
  challenge: v.object({ challenge: v.string(), now }),
  join: v.variant('state', [
    v.object({
      state: v.literal('accepted'),
      jwt,
      now,
      requestId,
      recovery,
    }),
    /** Waiting for an admin's decision: retry with a new challenge. */
    v.object({ state: v.literal('pending'), now, requestId, fingerprint: v.string() }),
  ]),
  recover: v.variant('state', [
    v.object({ state: v.literal('recovered'), jwt, now, requestId, recovery }),
    /** Waiting for an admin's decision: retry with a new challenge. */
    v.object({ state: v.literal('pending'), now, requestId, fingerprint: v.string() }),
    /** By the master's clock, the credential is still valid: use it. */
    v.object({ state: v.literal('notExpired'), now, requestId }),
  ]),
  'peel.add': v.object({ jwt, requestId, recovery, labels: v.optional(storedLabelsSchema) }),
  'peel.accept': v.object({ record: recordSchema }),
  'peel.reject': v.object({ record: recordSchema }),
  'peel.revoke': v.object({
    record: recordSchema,
    /** The keys whose revocation every server has confirmed. */
    revoked: v.array(v.string()),
  }),
  'peel.rotate': v.object({
    record: recordSchema,
    /** `done`: nothing to do; `told`: it is connected and was notified; `asked`: it will be notified when it renews. */
    outcome: v.picklist(['done', 'told', 'asked']),
  }),
  'peel.label': v.object({ record: recordSchema }),
  'peel.list': v.object({
    peels: v.array(listedPeelSchema),
    /** IDs of peels that were omitted because they do not fit into a message; the number of all of them. */
    skipped: v.optional(v.array(v.string())),
    skippedCount: v.optional(v.number()),
    /** The label selector of the request was applied. Older masters do not apply it, and omit this. */
    selected: v.optional(v.boolean()),
  }),
  'peel.show': v.object({
    record: recordSchema,
    presence: v.optional(presenceSchema),
    events: knownEvents,
    /** The audit log could not be read. */
    eventsMissing: v.optional(v.boolean()),
  }),
  'token.create': v.object({ jwt, token: tokenSchema }),
  'token.list': v.object({
    tokens: v.array(tokenSchema),
    /** How many older tokens do not fit the message. */
    omitted: v.optional(v.number()),
  }),
  'token.remove': v.object({ token: tokenSchema }),
  audit: v.object({
    events: knownEvents,
    /** The last stream sequence that was read, from which to continue with `after`. Older masters omit it. */
    lastSeq: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  }),
  status: v.object({
    /** The ID of the answering master. */
    master: v.string(),
    version: v.string(),
    policy: v.string(),
    /** In seconds. */
    lifetime: v.number(),
    /** The ID of the master that follows the servers' events. */
    watching: v.optional(v.string()),
    peels: v.record(v.picklist(PEEL_STATES), v.number()),
    connected: v.number(),
    /** Revocations of healthy peels, held until an admin resumes them or the cause is gone; absent: none. */
    held: v.optional(heldSchema),
  }),
  'presence.watch': v.object({ peels: v.array(v.object({ id: peelId, presence: presenceSchema })) }),
  /** The revocations that were held; absent: none. */
  'master.resume': v.object({ resumed: v.optional(heldSchema) }),
} as const satisfies Record<RequestName, v.GenericSchema>;

/** The answer to a request with this name. */
export type AnswerOf<N extends RequestName> = v.InferOutput<(typeof answers)[N]>;

const refusalSchema = v.object({
  error: v.object({
    code: v.pipe(v.string(), v.regex(/^ERR_[A-Z0-9_]+$/)),
    message: v.string(),
    final: v.optional(v.boolean()),
    requestId: v.optional(requestId),
  }),
});

/** A master's refusal. */
export type Refusal = v.InferOutput<typeof refusalSchema>;

/** An error for the wire. An unexpected error's message may contain anything, and is not sent. */
export function refusalOf(error: unknown, of?: { requestId: string }): Refusal {
  const known = error instanceof ZesterError;
  return {
    error: {
      code: known ? error.code : 'ERR_FLEET_INTERNAL',
      message: known ? error.message : 'the master failed to process the request; see its log, and try again',
      ...(error instanceof FleetError && error.final && { final: true }),
      ...(of && { requestId: of.requestId }),
    },
  };
}

export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** The refusal of a request that is larger than {@link MAX_REQUEST_BYTES}. @param bytes its size */
export function tooLarge(name: string, bytes: number): FleetError {
  return new FleetError('ERR_FLEET_REQUEST', `the request "${name}" has ${bytes} bytes: that is too large`);
}

/**
 * Parses a request.
 *
 * @throws FleetError `ERR_FLEET_REQUEST`
 */
export function parseRequest<N extends RequestName>(name: N, data: Uint8Array): RequestOf<N> {
  if (data.length > MAX_REQUEST_BYTES) throw tooLarge(name, data.length);
  // an empty request has default values
  const text = data.length === 0 ? '{}' : Buffer.from(data).toString('utf8');
  const parsed = v.safeParse(requests[name], parseJson(text));
  if (parsed.success) return parsed.output as RequestOf<N>;
  throw new FleetError(
    'ERR_FLEET_REQUEST',
    `the request "${name}" cannot be used: ${issueText(parsed.issues)}`,
  );
}

/**
 * Parses an answer.
 *
 * @throws FleetError with the refusal's code; `ERR_FLEET_ANSWER`. `final` is never set: only a signed refusal is
 *   trusted with that, see `verifySigned`
 */
export function parseAnswer<N extends RequestName>(name: N, data: Uint8Array): AnswerOf<N> {
  const json = parseJson(data);
  const refused = v.safeParse(refusalSchema, json);
  if (refused.success) {
    const { code, message } = refused.output.error;
    throw new FleetError(code as FleetErrorCode, message);
  }
  const parsed = v.safeParse(answers[name], json);
  if (parsed.success) return parsed.output as AnswerOf<N>;
  throw new FleetError(
    'ERR_FLEET_ANSWER',
    `the answer to "${name}" cannot be used: ${issueText(parsed.issues)}`,
  );
}

/** The refusal, if the answer is one. */
export function refusalIn(data: Uint8Array): Refusal['error'] | undefined {
  const refused = v.safeParse(refusalSchema, parseJson(data));
  return refused.success ? refused.output.error : undefined;
}

/**
 * Parses untrusted JSON.
 *
 * @param json text, or its bytes in UTF-8
 * @returns undefined: not JSON, or nested more than {@link MAX_JSON_DEPTH} deep. No message of the protocol is, and
 *   recursive code (`JSON.stringify`, schemas) would overflow the stack
 */
export function parseJson(json: string | Uint8Array): unknown {
  const text = typeof json === 'string' ? json : textOf(json);
  if (isNestedDeeper(text, MAX_JSON_DEPTH)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Without a copy of the bytes. */
function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
}

/** The first validation issue as text, without the invalid value. */
export function issueText(issues: readonly v.BaseIssue<unknown>[]): string {
  const [issue] = issues;
  if (issue === undefined) return 'it has an unexpected form';
  const path = v.getDotPath(issue);
  return excerpt(`${path === null ? '' : `${path}: `}${issue.message}`, 300);
}

/** The parts of a message that the protocol uses. */
export type ReceivedMessage = Pick<Msg, 'subject' | 'data'> & { headers?: MsgHdrs | undefined };
