// The form of a user JWT.
import { COMMON, NATS, USER_LIMITS, type TypeOfJwt } from './common.js';
import { object, optional, text } from './form.js';

export const USER_JWT: TypeOfJwt = {
  type: 'user',
  subject: 'user',
  issuers: ['account'],
  form: object({ ...COMMON, nats: object({ ...NATS, ...USER_LIMITS, issuer_account: optional(text) }) }),
};
