// The schemas of the HTTP interface, for checking requests and for the OpenAPI document.
import * as v from 'valibot';
import { holdsSeed } from '../../errors.js';
import { isPublicKey } from '../../nkeys/validate.js';
import { ADMIN_ROLES } from '../../permissions/admin-roles.js';
import { PEEL_ID } from '../../permissions/peel-id.js';
import { PEEL_PATTERN } from '../../protocol/glob.js';
import { MAX_SELECTOR } from '../../protocol/label-selector.js';
import { KEY_STATES, PEEL_STATES } from '../../protocol/records/record.js';
import { PEEL_ORDERS } from '../../protocol/records/peel-order.js';
import { MAX_CURSOR } from '../../protocol/records/peel-page.js';

const noSeed = v.check((text: string) => !holdsSeed(text), 'holds a seed');
const text = (most: number) => v.pipe(v.string(), v.maxLength(most), noSeed);
const time = v.pipe(v.string(), v.isoTimestamp());
const nullable = <S extends v.GenericSchema>(schema: S) => v.nullable(schema);

/** A whole number in a query. */
const whole = (least: number, most: number) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, 'is not a whole number'),
    v.check(
      (digits) => Number(digits) >= least && Number(digits) <= most,
      `is not between ${least} and ${most}`,
    ),
    v.transform(Number),
  );
const yesOrNo = v.pipe(
  v.picklist(['true', 'false']),
  v.transform((word) => word === 'true'),
);
const reason = v.optional(text(500));

export const peelIdSchema = v.pipe(v.string(), v.regex(PEEL_ID, 'is not a peel ID'));

/** The columns of `format=rows`, in their order. */
export const ROW_FIELDS = [
  'id',
  'state',
  'connected',
  'expiresAt',
  'lastSeen',
  'fingerprint',
  'keyState',
  'createdAt',
  'origin',
  'rotationAskedAt',
  /** As `env=prod,rack=7`. */
  'labels',
] as const;

export const queries = {
  peels: v.strictObject({
    q: v.optional(text(128)),
    pattern: v.optional(v.pipe(v.string(), v.regex(PEEL_PATTERN, 'is not a pattern of peel IDs (* and ?)'))),
    state: v.optional(v.picklist(PEEL_STATES)),
    connected: v.optional(yesOrNo),
    expiringWithin: v.optional(whole(0, 999_999_999)),
    labels: v.optional(v.pipe(v.string(), v.maxLength(MAX_SELECTOR))),
    sort: v.optional(v.picklist(['id', ...PEEL_ORDERS])),
    /** `listPeels` checks it, since its form depends on `sort`. */
    after: v.optional(
      v.pipe(
        text(MAX_CURSOR),
        v.description('"next" of the page before, with the same "sort"; with sort=id, any peel ID'),
      ),
    ),
    limit: v.optional(whole(1, 1_000_000)),
    format: v.optional(v.picklist(['documents', 'rows'])),
  }),
  peel: v.strictObject({ events: v.optional(whole(0, 200)) }),
  audit: v.strictObject({
    peelId: v.optional(peelIdSchema),
    pattern: v.optional(v.pipe(v.string(), v.regex(PEEL_PATTERN, 'is not a pattern of peel IDs (* and ?)'))),
    kind: v.optional(v.pipe(v.string(), v.regex(/^[a-z.*?-]{1,64}$/, 'is not a pattern of kinds (* and ?)'))),
    since: v.optional(time),
    until: v.optional(time),
    last: v.optional(whole(1, 10_000)),
  }),
  events: v.strictObject({ since: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{12}\.\d{1,15}$/))) }),
};

export const bodies = {
  session: v.strictObject({ key: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/, 'is not a key')) }),
  accept: v.strictObject({
    fingerprint: v.optional(
      v.pipe(v.string(), v.regex(/^[0-9a-f]{4}(-[0-9a-f]{4}){4}$/, 'is not a fingerprint')),
    ),
    reason,
  }),
  reject: v.strictObject({ reason }),
  revoke: v.strictObject({
    reason,
    publicKey: v.optional(
      v.pipe(
        v.string(),
        v.check((key) => isPublicKey(key, 'user'), 'is not a user public key (U…)'),
      ),
    ),
  }),
  rotate: v.strictObject({ since: v.optional(time) }),
  token: v.strictObject({
    ttlSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(366 * 86_400))),
    uses: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000))),
    ids: v.optional(v.pipe(v.string(), v.regex(PEEL_PATTERN, 'is not a pattern of peel IDs (* and ?)'))),
  }),
  resume: v.strictObject({ reason }),
};

const peel = v.object({
  id: v.string(),
  state: v.picklist(PEEL_STATES),
  connected: v.boolean(),
  publicKey: nullable(v.string()),
  fingerprint: nullable(v.string()),
  keyState: nullable(v.picklist(KEY_STATES)),
  issuedAt: nullable(v.string()),
  expiresAt: nullable(v.string()),
  lastSeen: nullable(v.string()),
  connectedSince: nullable(v.string()),
  rotationAskedAt: nullable(v.string()),
  decided: nullable(v.object({ by: v.string(), at: v.string(), reason: nullable(v.string()) })),
  origin: nullable(v.string()),
  labels: v.record(v.string(), v.string()),
  recoveries: v.object({ count: v.number(), lastAt: nullable(v.string()) }),
  createdAt: v.string(),
  updatedAt: v.string(),
});
const event = v.looseObject({
  id: v.string(),
  at: v.string(),
  kind: v.string(),
  by: v.looseObject({ kind: v.string(), name: v.string() }),
  peelId: v.optional(v.string()),
  number: v.optional(v.number()),
  publicKey: v.optional(v.string()),
  from: v.optional(v.string()),
  reason: v.optional(v.string()),
  code: v.optional(v.string()),
  detail: v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()]))),
});
const token = v.object({
  id: v.string(),
  state: v.picklist(['open', 'removed', 'expired', 'used up']),
  publicKey: v.string(),
  uses: v.number(),
  used: v.number(),
  usedBy: v.array(v.string()),
  ids: nullable(v.string()),
  labels: v.record(v.string(), v.string()),
  createdAt: v.string(),
  createdBy: v.string(),
  expiresAt: v.string(),
  removedAt: nullable(v.string()),
});
const held = nullable(v.object({ peels: v.number(), since: v.string() }));
const position = v.string();
const stale = nullable(v.string());

export const answers = {
  error: v.object({ error: v.object({ code: v.string(), message: v.string() }) }),
  session: v.object({
    kind: v.picklist(['session', 'token']),
    name: v.string(),
    role: v.picklist(ADMIN_ROLES),
    version: v.string(),
    account: v.string(),
    home: v.boolean(),
  }),
  summary: v.object({
    master: nullable(v.string()),
    watching: nullable(v.string()),
    policy: nullable(v.string()),
    lifetime: nullable(v.number()),
    held,
    peels: v.number(),
    states: v.record(v.picklist(PEEL_STATES), v.number()),
    connected: v.number(),
    notConnected: v.number(),
    expired: v.number(),
    expiringIn1h: v.number(),
    expiringIn24h: v.number(),
    neverExpire: v.number(),
    revoking: v.number(),
    versions: v.object({ zester: nullable(v.string()), natsServer: nullable(v.string()) }),
    servers: v.array(v.object({ name: v.string(), connections: v.number() })),
    position,
    stale,
  }),
  history: v.object({
    samples: v.array(v.tuple([v.number(), v.number(), v.number()])),
    minutes: v.array(v.tuple([v.number(), v.number(), v.number()])),
    expiry: v.array(v.tuple([v.number(), v.number()])),
  }),
  peels: v.object({
    peels: v.optional(v.array(peel)),
    fields: v.optional(v.array(v.picklist(ROW_FIELDS))),
    rows: v.optional(v.array(v.array(v.union([v.string(), v.boolean(), v.null()])))),
    total: v.number(),
    next: nullable(v.string()),
    position,
    stale,
  }),
  peel: v.object({
    peel,
    keys: v.array(
      v.object({
        publicKey: v.string(),
        fingerprint: v.string(),
        state: v.picklist(KEY_STATES),
        addedAt: nullable(v.string()),
        issuer: nullable(v.string()),
        issuedAt: nullable(v.string()),
        expiresAt: nullable(v.string()),
        connectedAt: nullable(v.string()),
        replaces: nullable(v.string()),
      }),
    ),
    connections: v.array(
      v.object({
        server: v.string(),
        cid: v.number(),
        serverName: v.optional(v.string()),
        publicKey: v.string(),
        host: v.optional(v.string()),
        since: v.string(),
      }),
    ),
    connectionCount: v.number(),
    events: v.array(event),
    eventsMissing: v.boolean(),
  }),
  facts: v.object({ id: v.string(), facts: v.unknown() }),
  decided: v.object({ peel }),
  revoked: v.object({ peel, revoked: v.array(v.string()) }),
  rotated: v.object({ peel, outcome: v.picklist(['done', 'told', 'asked']) }),
  audit: v.object({ events: v.array(event) }),
  tokens: v.object({ tokens: v.array(token) }),
  token: v.object({ token }),
  newToken: v.object({ token, path: v.string(), server: v.string() }),
  masters: v.object({
    masters: v.array(
      v.object({
        id: v.string(),
        version: v.string(),
        started: nullable(v.string()),
        watching: v.boolean(),
        requests: nullable(v.number()),
        errors: nullable(v.number()),
      }),
    ),
  }),
  trust: v.object({
    nodes: v.array(
      v.object({
        kind: v.picklist([
          'operator',
          'operator-signing',
          'account',
          'system-account',
          'signing-key',
          'user',
        ]),
        name: v.string(),
        publicKey: v.string(),
        parent: nullable(v.string()),
        expiresAt: nullable(v.string()),
        current: v.boolean(),
      }),
    ),
  }),
  doctor: v.object({
    findings: v.array(
      v.object({
        part: v.string(),
        severity: v.picklist(['ok', 'warning', 'error']),
        check: v.string(),
        subject: v.string(),
        message: v.string(),
        fix: v.optional(v.string()),
        code: v.optional(v.string()),
      }),
    ),
  }),
  resumed: v.object({ resumed: held }),
  empty: v.object({}),
};
