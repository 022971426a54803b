import { describe, it, expect } from 'vitest';
import { decodeUserJwt, generateFullHierarchy, validateJwtChain } from '../../src/index.js';
import { checkUserValues } from '../../src/jwt/check-user.js';
import { refusal } from '../support/refusal.js';
import { reforge } from './forge.js';

const { account, accountJwt, operatorJwt, userJwt } = generateFullHierarchy('O', 'A', 'U');

describe('values in a user JWT', () => {
  it.each<[string, Record<string, unknown>]>([
    ['an empty subject', { pub: { allow: [''] } }],
    ['null for a subject', { pub: { allow: [null] } }],
    ['a subject with an empty token', { sub: { deny: ['a..b'] } }],
    ['a queue group to publish to', { pub: { allow: ['a b'] } }],
    ['a subject with two queue groups', { sub: { allow: ['a b c'] } }],
    ['a network without a mask', { src: ['10.0.0.1'] }],
    ['a network with too long a mask', { src: '10.0.0.0/8, 10.0.0.0/33' }],
    ['a network with a zone', { src: ['fe80::1%eth0/64'] }],
    ['a time without seconds', { times: [{ start: '08:00', end: '18:00:00' }] }],
    ['a range without an end', { times: [{ start: '08:00:00' }] }],
    ['a time zone of a misspelled name', { times_location: 'europe/vienna' }],
    ['connection types that no server knows', { allowed_connection_types: ['BOGUS'] }],
  ])('that a server refuses at connect: %s', async (_, change) => {
    const jwt = reforge(userJwt, account, ({ nats }) => void Object.assign(nats, change));
    await refusal('ERR_JWT_CLAIMS', () => checkUserValues(decodeUserJwt(jwt)));
  });

  it.each<[string, Record<string, unknown>]>([
    ['a queue group to subscribe in', { sub: { allow: ['a b', 'c.>'] } }],
    ['networks of both kinds', { src: ['10.0.0.0/08', '2001:db8::/32', '::ffff:10.0.0.0/104'] }],
    ['an hour of one digit, and parts of a second', { times: [{ start: '8:00:00', end: '18:00:00.5' }] }],
    ['an unknown connection type beside a known one', { allowed_connection_types: ['standard', 'BOGUS'] }],
    ['null in a list of tags', { tags: [null, 'a'] }],
  ])('but not %s', (_, change) => {
    const jwt = reforge(userJwt, account, ({ nats }) => void Object.assign(nats, change));
    expect(() => checkUserValues(decodeUserJwt(jwt))).not.toThrow();
  });

  it('that a server refuses break the chain', () => {
    const jwt = reforge(userJwt, account, ({ nats }) => void (nats['pub'] = { allow: [''] }));
    expect(() => validateJwtChain(operatorJwt, accountJwt, jwt)).toThrow(
      expect.objectContaining({ code: 'ERR_CHAIN_USER_INVALID', link: 'user' }) as Error,
    );
  });
});
