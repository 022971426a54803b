// The form of an account JWT.
//
// Source: github.com/nats-io/jwt/v2, account_claims.go (`Account.Validate`), imports.go, exports.go, signingkeys.go.
import { withArticle, type Role } from '../../nkeys/roles.js';
import { isPublicKey } from '../../nkeys/validate.js';
import { CHECKED_PERMISSIONS, matching, publishSubject, SUBJECT } from './checked-values.js';
import { COMMON, NATS, PERMISSIONS, USER_LIMITS, type TypeOfJwt } from './common.js';
import { flag, FormError, integer, listOf, mapOf, object, optional, text, type Form } from './form.js';

function checkedText(what: string, isRight: (value: string) => boolean): Form<string> {
  return (value) => {
    if (!isRight(text(value))) throw new FormError(`it is not ${what}`);
    return value as string;
  };
}

const JETSTREAM_NUMBERS = [
  ...['mem_storage', 'disk_storage', 'streams', 'consumer', 'max_ack_pending'],
  ...['mem_max_stream_bytes', 'disk_max_stream_bytes'],
];
const NUMBERS = ['subs', 'data', 'payload', 'imports', 'exports', 'conn', 'leaf', ...JETSTREAM_NUMBERS];
const integers = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, optional(integer)]));

const limits = object({
  ...integers(NUMBERS),
  wildcards: optional(flag),
  disallow_bearer: optional(flag),
  max_bytes_required: optional(flag),
  tiered_limits: optional(
    mapOf(optional(object({ ...integers(JETSTREAM_NUMBERS), max_bytes_required: optional(flag) }))),
  ),
});

const userScope: Form = (value) => {
  if (value !== 'user_scope') throw new FormError('it is not "user_scope"');
  return value;
};

const keyOf = (role: Role) =>
  checkedText(`${withArticle(role)}'s public key`, (key) => isPublicKey(key, role));
const accountKey = keyOf('account');

const scopedSigningKey = object({
  kind: userScope,
  key: accountKey,
  role: optional(text),
  description: optional(text),
  // without a template, a server allows the key's users everything, which is never the intent of a scope
  template: object({
    ...USER_LIMITS,
    // in a template, unlike in a user JWT, servers read an absent limit as "no limit". Source: jwt/v2, `NewUserScope`
    subs: optional(integer, -1),
    data: optional(integer, -1),
    payload: optional(integer, -1),
  }),
});

const MAX_INFO_BYTES = 8 * 1024;
const info = checkedText('at most 8 KiB', (value) => Buffer.byteLength(value) <= MAX_INFO_BYTES);
const infoUrl = matching('a URL', /^$|^[a-z][a-z\d+.-]*:\/\/[^\s/?#]+/i);

const percentage: Form<number> = (value) => {
  const share = integer(value);
  if (share < 0 || share > 100) throw new FormError('it is not a percentage');
  return share;
};

/** Go does not parse "-0" as an unsigned number. */
const weight: Form<number> = (value) => percentage(Object.is(value, -0) ? -1 : value);

const destinations = listOf(
  object({ subject: publishSubject, weight: optional(weight), cluster: optional(text) }),
);

/** The weights of a subject's destinations, over all clusters or per cluster. */
const mapping: Form = (value) => {
  const shares = new Map<unknown, number>();
  for (const { weight: share, cluster } of destinations(value)) {
    // 0 means absent: 100 percent
    const total = (shares.get(cluster ?? '') ?? 0) + ((share as number | undefined) || 100);
    if (total > 100) throw new FormError('its weights add up to more than 100');
    shares.set(cluster ?? '', total);
  }
  return value;
};

const mappings: Form = (value) => {
  const all = mapOf(optional(mapping))(value);
  const wrong = Object.keys(all).find((subject) => !SUBJECT.test(subject));
  if (wrong !== undefined) throw new FormError('it maps a name that is not a subject');
  return all;
};

const allowedAccounts: Form = (value) => {
  const accounts = listOf(text)(value);
  return accounts.length === 1 && accounts[0] === '*' ? accounts : listOf(accountKey)(accounts);
};

const authorization: Form = (value) => {
  const of = object({
    auth_users: optional(listOf(keyOf('user'))),
    allowed_accounts: optional(allowedAccounts),
    xkey: optional(text),
  })(value) as { auth_users?: unknown[]; allowed_accounts?: unknown[] };
  if ((of.allowed_accounts?.length ?? 0) > 0 && (of.auth_users?.length ?? 0) === 0)
    throw new FormError('it lists accounts, but no users');
  return of;
};

const trace = object({
  dest: checkedText('a subject without wildcards', (value) => SUBJECT.test(value) && !hasWildcard(value)),
  sampling: optional(percentage),
});

const clusterTraffic = matching('"system" or "owner"', /^(system|owner)?$/);

const shareType = matching('"stream" or "service"', /^(stream|service)$/);
const exported = object({
  name: optional(text),
  subject: publishSubject,
  type: shareType,
  token_req: optional(flag),
});
const imported = object({
  ...{
    name: optional(text),
    subject: publishSubject,
    type: shareType,
    account: checkedText('an account', (value) => value !== ''),
  },
  ...{ token: optional(text), to: optional(text), local_subject: optional(text), share: optional(flag) },
});

function hasWildcard(subject: string): boolean {
  return subject.split('.').some((token) => token === '*' || token === '>');
}

const nats = object({
  ...NATS,
  description: optional(info),
  info_url: optional(infoUrl),
  limits: optional(limits),
  signing_keys: optional(
    listOf((key) => (typeof key === 'string' ? accountKey(key) : scopedSigningKey(key))),
  ),
  revocations: optional(mapOf(optional(integer, 0))),
  default_permissions: optional(object({ ...PERMISSIONS, ...CHECKED_PERMISSIONS })),
  imports: optional(listOf(imported)),
  exports: optional(listOf(exported)),
  mappings: optional(mappings),
  authorization: optional(authorization),
  trace: optional(trace),
  cluster_traffic: optional(clusterTraffic),
});

/** An account may be self-signed; then it has no valid chain. */
export const ACCOUNT_JWT: TypeOfJwt = {
  type: 'account',
  subject: 'account',
  issuers: ['operator', 'account'],
  form: object({ ...COMMON, nats }),
};
