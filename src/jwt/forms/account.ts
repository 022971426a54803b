// The form of an account JWT.
import { COMMON, NATS, PERMISSIONS, USER_LIMITS, type TypeOfJwt } from './common.js';
import {
  anything,
  flag,
  FormError,
  integer,
  listOf,
  mapOf,
  object,
  optional,
  text,
  type Form,
} from './form.js';

const NUMBERS = [
  ...['subs', 'data', 'payload', 'imports', 'exports', 'conn', 'leaf'],
  ...['mem_storage', 'disk_storage', 'streams', 'consumer', 'max_ack_pending'],
  ...['mem_max_stream_bytes', 'disk_max_stream_bytes'],
];

const limits = object({
  ...Object.fromEntries(NUMBERS.map((name) => [name, optional(integer)])),
  wildcards: optional(flag),
  disallow_bearer: optional(flag),
  max_bytes_required: optional(flag),
});

const userScope: Form = (value) => {
  if (value !== 'user_scope') throw new FormError('it is not "user_scope"');
  return value;
};

const scopedSigningKey = object({
  kind: userScope,
  key: text,
  role: optional(text),
  description: optional(text),
  // without one a server lets the key's users do everything, which nobody means who scopes a key
  template: object({
    ...USER_LIMITS,
    // in a template, unlike in a user JWT, servers take an absent limit for none. Source: jwt/v2, `NewUserScope`
    subs: optional(integer, -1),
    data: optional(integer, -1),
    payload: optional(integer, -1),
  }),
});

/** An account may sign itself: then no chain holds with it. */
export const ACCOUNT_JWT: TypeOfJwt = {
  type: 'account',
  subject: 'account',
  issuers: ['operator', 'account'],
  form: object({
    ...COMMON,
    nats: object({
      ...NATS,
      limits: optional(limits),
      signing_keys: optional(listOf((key) => (typeof key === 'string' ? key : scopedSigningKey(key)))),
      revocations: optional(mapOf(optional(integer, 0))),
      default_permissions: optional(object(PERMISSIONS)),
      imports: optional(listOf(anything)),
      exports: optional(listOf(anything)),
    }),
  }),
};
