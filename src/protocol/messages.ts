// The schemas of requests and answers between admins, peels and masters.
import type { Msg, MsgHdrs } from '@nats-io/nats-core';
import * as v from 'valibot';
import { FleetError, holdsSeed, redactSeeds, ZesterError, type FleetErrorCode } from '../errors.js';
import { isPublicKey } from '../nkeys/validate.js';
import { isPeelId } from '../permissions/peel-id.js';
import { isNestedDeeper } from '../text/json-depth.js';
import { knownEvents } from './records/known-events.js';
import { PEEL_PATTERN } from './glob.js';
import { PEEL_STATES, recordSchema, type PeelRecord } from './records/record.js';
import { MAX_SELECTOR } from './label-selector.js';
import { labelNamesSchema, labelsSchema, storedLabelsSchema } from './records/labels.js';
import { tokenSchema } from './records/join-token.js';
import { PEEL_ORDERS } from './records/peel-order.js';
import { presenceSchema, type Presence } from './records/presence.js';

/** More than any request of this protocol needs. */
const MAX_REQUEST_BYTES = 64 * 1024;

/** Seconds: a hundred years. Longer means forever, which is 0. */
const MAX_EXPIRY = 100 * 366 * 86_400;

/** Arrays and objects within each other, in a message, a record or an answer. */
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
/** Chosen by the caller; a retry of an unanswered request has the same one. */
const requestId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{8,64}$/, 'is not a request ID'));
export const requestIdSchema = requestId;
const signature = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{86}$/, 'is not a signature'));
const challenge = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{20,64}$/, 'is not a challenge'));
const reason = v.optional(v.pipe(v.string(), v.maxLength(500), noSeed));
/** A glob over peel ids: `*` and `?`. */
const pattern = v.pipe(v.string(), v.regex(PEEL_PATTERN, 'is not a pattern of peel IDs (* and ?)'), noSeed);
/** A glob over the kinds of audit events. */
const kindPattern = v.pipe(v.string(), v.regex(/^[a-z.*?]{1,64}$/, 'is not a pattern of kinds (* and ?)'));

/** The requests, by name. */
export const requests = {
  /** On `zester.auth.<id>.renew`: a new JWT for the key in use. */
  renew: v.object({ requestId, publicKey }),
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
    /** How often the peel has recovered, as its recovery credential says. */
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
    /** Seconds; the master's lifetime by default. 0: it does not expire. */
    expiry: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_EXPIRY))),
    /** If the ID exists, replace its key. */
    replace: v.optional(v.boolean()),
    /** Older masters ignore them, and do not give them back. */
    labels: v.optional(labelsSchema),
  }),
  'peel.accept': v.object({
    peelId,
    reason,
    /** Older masters ignore them: the answered record says what holds. */
    labels: v.optional(labelsSchema),
  }),
  'peel.reject': v.object({ peelId, reason }),
  'peel.revoke': v.object({
    peelId,
    reason,
    /** Only this key of it. */
    publicKey: v.optional(publicKey),
  }),
  'peel.rotate': v.object({
    peelId,
    /** ISO 8601: skip a peel whose key was issued at this time or later. */
    since: v.optional(v.string()),
    /** Skip a peel that no longer uses this key. Older masters rotate it all the same. */
    publicKey: v.optional(publicKey),
  }),
  /** Those that are not named stay. */
  'peel.label': v.object({
    peelId,
    set: v.optional(labelsSchema),
    remove: v.optional(labelNamesSchema),
    reason,
  }),
  'peel.list': v.object({
    pattern: v.optional(pattern),
    state: v.optional(v.picklist(PEEL_STATES)),
    /** Seconds: only those whose credential expires within this time. */
    expiringWithin: v.optional(v.number()),
    connected: v.optional(v.boolean()),
    /** A label selector. Older masters give all. */
    labels: v.optional(v.pipe(v.string(), v.maxLength(MAX_SELECTOR))),
    /** Only peels whose IDs come after this one: the next page. Older masters give all. */
    after: v.optional(peelId),
    /** The first so many, by ID. Older masters give all. */
    limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
    /** The first so many in another order; the answer may have them in any. Older masters give all. */
    top: v.optional(
      v.object({ by: v.picklist(PEEL_ORDERS), limit: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
    ),
  }),
  'peel.show': v.object({
    peelId,
    /** How many of its last events. */
    events: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(200))),
  }),
  'token.create': v.object({
    /** The key of the token's user, made where the token is made: its seed stays there. */
    publicKey,
    tokenId: v.pipe(v.string(), v.regex(/^[A-Za-z0-9]{8,40}$/, 'is not a token ID')),
    /** Seconds. */
    ttl: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(366 * 86_400)),
    uses: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000)),
    ids: v.optional(pattern),
    /** Of the peels that join with it. Older masters ignore them: the answered token says what holds. */
    labels: v.optional(labelsSchema),
  }),
  'token.list': v.object({}),
  'token.remove': v.object({ tokenId: v.string() }),
  audit: v.object({
    peelId: v.optional(peelId),
    /** ISO 8601. */
    since: v.optional(v.string()),
    /** ISO 8601. */
    until: v.optional(v.string()),
    /** Only what was stored after this sequence of the stream; `since` is ignored then. */
    after: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    /** Only about peels of which one of these patterns matches. */
    patterns: v.optional(v.pipe(v.array(pattern), v.minLength(1), v.maxLength(100))),
    /** Only kinds that one of these globs matches. */
    kinds: v.optional(v.pipe(v.array(kindPattern), v.minLength(1), v.maxLength(100))),
    /** The last so many; all by default. */
    last: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  }),
  status: v.object({}),
  /** What changes of who is connected, for a while. Older masters do not know it. */
  'presence.watch': v.object({}),
  /** Revoke those that are held. */
  'master.resume': v.object({ reason }),
} as const;

export type RequestName = keyof typeof requests;
/** What a request of this name says. */
export type RequestOf<N extends RequestName> = v.InferOutput<(typeof requests)[N]>;

/** Milliseconds since 1970 by the master's clock, so that a peel knows how far off its own is. */
const now = v.number();
const jwt = v.string();
/** The JWT of a recovery credential, for the same key. Older masters, and those that allow no recovery, give none. */
const recovery = v.optional(v.string());

/** What a notice tells a peel about its credential. */
const credentialAnswer = v.object({
  jwt,
  now,
  requestId,
  recovery,
  /** The master wants the key to be replaced: ask for that next. */
  rotate: v.optional(v.boolean()),
});

/** A peel, as a list shows it. */
export interface ListedPeel {
  record: PeelRecord;
  /** Where it is connected, and when it was last; absent: it has never connected. */
  presence?: Presence | undefined;
}
const listedPeelSchema = v.object({ record: recordSchema, presence: v.optional(presenceSchema) });

/** How many peels, and since when (ISO 8601). */
const heldSchema = v.object({ peels: v.number(), since: v.string() });

/** What is answered. `peel.list`, `audit` and `presence.watch` are answered in several messages, and an empty one that ends them. */
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
    /** Waiting for an admin's decision: ask again, with a new challenge. */
    v.object({ state: v.literal('pending'), now, requestId, fingerprint: v.string() }),
  ]),
  recover: v.variant('state', [
    v.object({ state: v.literal('recovered'), jwt, now, requestId, recovery }),
    /** Waiting for an admin's decision: ask again, with a new challenge. */
    v.object({ state: v.literal('pending'), now, requestId, fingerprint: v.string() }),
    /** By the master's clock the credential is valid: use it. */
    v.object({ state: v.literal('notExpired'), now, requestId }),
  ]),
  'peel.add': v.object({ jwt, requestId, recovery, labels: v.optional(storedLabelsSchema) }),
  'peel.accept': v.object({ record: recordSchema }),
  'peel.reject': v.object({ record: recordSchema }),
  'peel.revoke': v.object({
    record: recordSchema,
    /** The keys that every server has confirmed to be revoked. */
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
    /** The first IDs of the peels that were omitted because they do not fit a message, and their number. */
    skipped: v.optional(v.array(v.string())),
    skippedCount: v.optional(v.number()),
    /** The label selector of the request was applied. Older masters do not know it, and do not say this. */
    selected: v.optional(v.boolean()),
  }),
  'peel.show': v.object({
    record: recordSchema,
    presence: v.optional(presenceSchema),
    events: knownEvents,
    /** The audit could not be read at the moment. */
    eventsMissing: v.optional(v.boolean()),
  }),
  'token.create': v.object({ jwt, token: tokenSchema }),
  'token.list': v.object({ tokens: v.array(tokenSchema) }),
  'token.remove': v.object({ token: tokenSchema }),
  audit: v.object({
    events: knownEvents,
    /** The sequence in the stream up to which events were given: to continue `after` it. Older masters do not say it. */
    lastSeq: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  }),
  status: v.object({
    /** The id of the master that answers. */
    master: v.string(),
    version: v.string(),
    policy: v.string(),
    /** Seconds. */
    lifetime: v.number(),
    /** The id of the master that follows the servers' events. */
    watching: v.optional(v.string()),
    peels: v.record(v.picklist(PEEL_STATES), v.number()),
    connected: v.number(),
    /** Revocations of healthy peels that are held, until an admin resumes or the cause is gone; absent: none is. */
    held: v.optional(heldSchema),
  }),
  'presence.watch': v.object({ peels: v.array(v.object({ id: peelId, presence: presenceSchema })) }),
  /** What was held; absent: nothing was. */
  'master.resume': v.object({ resumed: v.optional(heldSchema) }),
} as const satisfies Record<RequestName, v.GenericSchema>;

/** What a request of this name is answered with. */
export type AnswerOf<N extends RequestName> = v.InferOutput<(typeof answers)[N]>;

const refusalSchema = v.object({
  error: v.object({
    code: v.pipe(v.string(), v.regex(/^ERR_[A-Z0-9_]+$/)),
    message: v.string(),
    final: v.optional(v.boolean()),
    requestId: v.optional(requestId),
  }),
});

/** What a master refuses with. */
export type Refusal = v.InferOutput<typeof refusalSchema>;

/** An error, as it is sent. Only what is meant for others is: an unknown error's words may hold anything. */
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

/** A JSON message. */
export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/**
 * Reads a request.
 *
 * @throws FleetError `ERR_FLEET_REQUEST`
 */
export function parseRequest<N extends RequestName>(name: N, data: Uint8Array): RequestOf<N> {
  if (data.length > MAX_REQUEST_BYTES) {
    throw new FleetError(
      'ERR_FLEET_REQUEST',
      `the request "${name}" has ${data.length} bytes: that is too large`,
    );
  }
  // an empty one asks for nothing in particular
  const text = data.length === 0 ? '{}' : Buffer.from(data).toString('utf8');
  const parsed = v.safeParse(requests[name], parseJson(text));
  if (parsed.success) return parsed.output as RequestOf<N>;
  throw new FleetError(
    'ERR_FLEET_REQUEST',
    `the request "${name}" cannot be used: ${issueText(parsed.issues)}`,
  );
}

/**
 * Reads an answer.
 *
 * @throws FleetError with the refusal's code; `ERR_FLEET_ANSWER`. `final` is never set: that is only believed of a signed
 *   one, see `verifySigned`
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

/** The refusal in an answer, if it is one. */
export function refusalIn(data: Uint8Array): Refusal['error'] | undefined {
  const refused = v.safeParse(refusalSchema, parseJson(data));
  return refused.success ? refused.output.error : undefined;
}

/**
 * Reads untrusted JSON.
 *
 * @param json text, or its bytes in UTF-8
 * @returns undefined: it is not JSON, or nested more than {@link MAX_JSON_DEPTH} deep, which no message of ours is, and
 *   which would make what walks through it recursively (`JSON.stringify`, schemas) run out of stack
 */
export function parseJson(json: string | Uint8Array): unknown {
  const text = typeof json === 'string' ? json : Buffer.from(json).toString('utf8');
  if (isNestedDeeper(text, MAX_JSON_DEPTH)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The first thing that is wrong, in words; what was sent is not repeated. */
export function issueText(issues: readonly v.BaseIssue<unknown>[]): string {
  const [issue] = issues;
  if (issue === undefined) return 'it has an unexpected form';
  const path = v.getDotPath(issue);
  return redactSeeds(`${path === null ? '' : `${path}: `}${issue.message}`).slice(0, 300);
}

/** What of a message the protocol looks at. */
export type ReceivedMessage = Pick<Msg, 'subject' | 'data'> & { headers?: MsgHdrs | undefined };
