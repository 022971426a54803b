import { describe, expect, it } from 'vitest';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { createAccountJwt } from '../../src/jwt/account.js';
import { decodeAccountJwt, decodeUserJwt } from '../../src/jwt/decode.js';
import { createUserJwt, type UserJwtOptions } from '../../src/jwt/user.js';
import {
  adminUserJwtOptions,
  masterUserJwtOptions,
  peelUserJwtOptions,
} from '../../src/permissions/roles.js';
import {
  grantsLostWithResponses,
  isAsIssuedNow,
  planAccountMigration,
  weaknessesOf,
} from '../../src/trust/migration.js';
import { joinSigningKey, peelSigningKey } from '../../src/trust/keys/signing-keys.js';
import { OLDER_PEEL_TEMPLATE } from './older-home.js';

const operator = generateKeyBundle('operator');
const account = generateKeyBundle('account');
const peels = generateKeyBundle('account').publicKey;
const joins = generateKeyBundle('account').publicKey;
const others = generateKeyBundle('account').publicKey;

const claims = decodeAccountJwt(
  createAccountJwt(account.publicKey, operator, {
    name: 'fleet',
    signingKeys: [peelSigningKey(peels), joinSigningKey(joins)],
  }),
);
const userClaims = (options: UserJwtOptions) =>
  decodeUserJwt(createUserJwt(generateKeyBundle('user'), account, options));

describe('the plan of a migration', () => {
  it('leaves a new account as it is', () => {
    expect(planAccountMigration(claims, peels)).toEqual({ claims, templates: [], unsafe: [], lost: [] });
  });

  it('changes the templates of peels and join tokens, under any name of the role', () => {
    const older = withKeys([
      { kind: 'user_scope' as const, key: peels, role: 'machines', template: OLDER_PEEL_TEMPLATE },
    ]);
    const plan = planAccountMigration(older, peels);
    expect(plan.templates).toMatchObject([{ publicKey: peels, role: 'peel', before: OLDER_PEEL_TEMPLATE }]);
    expect(planAccountMigration(plan.claims, peels).templates).toEqual([]);
  });

  it('names the responses that it does not change: those of other keys, and of the account', () => {
    const resp = { max: 1, ttl: 1e9 };
    const older = withKeys([
      { kind: 'user_scope' as const, key: others, role: 'billing', template: { resp } },
    ]);
    older.nats.default_permissions = { resp };
    const { unsafe, claims: after } = planAccountMigration(older, peels);
    expect(after).toBe(older);
    expect(unsafe.map(({ where }) => where)).toEqual([
      `the template of the signing key ${others} ("billing")`,
      'the default permissions of the account',
    ]);
  });
});

describe('a subject that worked only through responses', () => {
  const resp = { max: 1, ttl: 1e9 };

  it('is the acknowledgement of pulled messages, and flow control', () => {
    const pulls = '$JS.API.CONSUMER.MSG.NEXT.ORDERS.worker';
    const creates = '$JS.API.CONSUMER.CREATE.ORDERS.*.orders.{{name()}}';
    const lost = grantsLostWithResponses({ pub: { allow: [pulls, creates] }, resp });
    expect(lost.map(({ subject, grant }) => [subject, grant])).toEqual([
      [pulls, '$JS.ACK.ORDERS.>'],
      [creates, '$JS.ACK.ORDERS.>'],
      [creates, '$JS.FC.ORDERS.>'],
    ]);
  });

  it('is nothing where those are granted, or where there are no responses', () => {
    const allow = ['$JS.API.CONSUMER.MSG.NEXT.ORDERS.worker', '$JS.ACK.ORDERS.>'];
    expect(grantsLostWithResponses({ pub: { allow }, resp })).toEqual([]);
    expect(grantsLostWithResponses({ pub: { allow: allow.slice(0, 1) } })).toEqual([]);
  });

  it('is an answer on a subject that is not an inbox', () => {
    const sub = { allow: ['billing.{{name()}}', '_INBOX.{{name()}}.>', 'zester.cmd.{{name()}}'] };
    const lost = grantsLostWithResponses({ pub: { allow: ['x'] }, sub, resp });
    expect(lost).toMatchObject([{ subject: 'billing.{{name()}}', grant: undefined }]);
  });
});

describe('the weaknesses of a JWT with its own permissions', () => {
  it('are none in what this version issues', () => {
    expect(weaknessesOf(userClaims(peelUserJwtOptions('web-01', account.publicKey)))).toEqual([]);
    expect(weaknessesOf(userClaims(adminUserJwtOptions(account.publicKey)))).toEqual([]);
  });

  it('are responses, for any user', () => {
    const permissions = {
      publish: { allow: ['billing.>'] },
      subscribe: { allow: ['billing.>'] },
      responses: { max: 1, ttl: 1 },
    };
    expect(weaknessesOf(userClaims({ name: 'billing', permissions }))).toEqual(['has responses']);
  });

  it('is the use as a leafnode, for users with the grants of a peel', () => {
    const options = peelUserJwtOptions('web-01', account.publicKey, {
      limits: { allowedConnectionTypes: ['STANDARD', 'LEAFNODE'] },
    });
    expect(weaknessesOf(userClaims(options))).toEqual(['may connect as a leafnode']);
  });
});

it('a master’s JWT with a grant more is not as it is issued now', () => {
  const options = masterUserJwtOptions(account.publicKey);
  expect(isAsIssuedNow(userClaims(options), options)).toBe(true);
  const more = [...(options.permissions?.publish?.allow ?? []), 'more'];
  const permissions = { ...options.permissions, publish: { allow: more } };
  expect(isAsIssuedNow(userClaims({ ...options, permissions }), options)).toBe(false);
});

function withKeys(keys: NonNullable<(typeof claims)['nats']['signing_keys']>): typeof claims {
  return { ...claims, nats: { ...claims.nats, signing_keys: keys } };
}

it('accepts an admin’s JWT with unused grants of earlier versions as current', () => {
  const options = adminUserJwtOptions(account.publicKey);
  const { publish, subscribe } = options.permissions ?? {};
  const [admin = '', ...more] = publish?.allow ?? [];
  const permissions = {
    publish: { allow: [admin, ...more.slice(0, 1), 'zester.job.*.cancel', ...more.slice(1)] },
    subscribe: { allow: ['zester.fact.>', 'zester.job.*.ack.*', ...(subscribe?.allow ?? [])] },
  };
  expect(isAsIssuedNow(userClaims({ ...options, permissions }), options)).toBe(true);
});
