// The form of an operator JWT.
import { COMMON, NATS, strings, type TypeOfJwt } from './common.js';
import { flag, object, optional, text } from './form.js';

export const OPERATOR_JWT: TypeOfJwt = {
  type: 'operator',
  subject: 'operator',
  issuers: ['operator'],
  form: object({
    ...COMMON,
    nats: object({
      ...NATS,
      signing_keys: optional(strings),
      account_server_url: optional(text),
      operator_service_urls: optional(strings),
      system_account: optional(text),
      strict_signing_key_usage: optional(flag),
    }),
  }),
};
