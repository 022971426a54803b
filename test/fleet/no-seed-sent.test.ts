import type { NatsConnection } from '@nats-io/nats-core';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { AdminClient } from '../../src/protocol/admin-client.js';
import { requests } from '../../src/protocol/messages.js';
import type { MessageSigner } from '../../src/protocol/signed.js';
import {
  createAccountJwt,
  createOperatorJwt,
  createUserJwt,
  generateKeyBundle,
  peelUserJwtOptions,
  validatePeelId,
} from '../../src/index.js';
import { readRows } from '../../src/provision/rows.js';
import { refusal } from '../support/refusal.js';

const operator = generateKeyBundle('operator');
const account = generateKeyBundle('account');
const user = generateKeyBundle('user');
const seed = Buffer.from(user.seed).toString();
const texts = [seed, seed.slice(0, -3), `web-${seed}`, `${seed}-1`];

describe('a seed that is given where an id, a name, a pattern or a reason belongs', () => {
  it('is not a peel ID', async () => {
    for (const text of texts) {
      const error = await refusal('ERR_PEEL_ID', () => validatePeelId(text), user.seed);
      expect(error.message).toContain('a seed was given');
      await refusal('ERR_PEEL_ID', () => peelUserJwtOptions(text, account.publicKey), user.seed);
    }
    expect(validatePeelId(user.publicKey)).toBe(user.publicKey);
  });

  it.each(['txt', 'ndjson', 'csv'] as const)('is a bad row of a list of %s', async (format) => {
    const list = { txt: seed, ndjson: JSON.stringify({ id: seed }), csv: `id\n${seed}` }[format];
    async function* bytes() {
      yield Buffer.from(list);
    }
    for await (const row of readRows(bytes(), format)) {
      expect(row).toMatchObject({ error: { code: 'ERR_PEEL_ID' } });
      expect(String((row as { error: Error }).error)).not.toContain(seed.slice(0, 20));
    }
    expect.hasAssertions();
  });

  it('is refused by a master', () => {
    for (const text of texts) {
      for (const [name, request] of [
        ['peel.add', { requestId: 'abcdefgh', peelId: text, publicKey: user.publicKey }],
        ['peel.accept', { peelId: 'web-01', reason: `because of ${text}` }],
        ['peel.list', { pattern: `${text}*` }],
        ['token.create', { publicKey: user.publicKey, tokenId: 'Ab12Cd34', ttl: 1, uses: 1, ids: text }],
      ] as const) {
        const parsed = v.safeParse(requests[name], request);
        expect(parsed.success, name).toBe(false);
        expect(JSON.stringify(parsed.issues?.map(({ message }) => message))).not.toContain(seed.slice(0, 20));
      }
    }
  });

  it('is not even sent to a master', async () => {
    // the connection must not be used
    const signer = { sign: () => expect.unreachable('it was signed') } as unknown as MessageSigner;
    const client = new AdminClient({} as NatsConnection, signer);
    for (const text of texts) {
      const accept = client.ask('peel.accept', { peelId: 'web-01', reason: text });
      await refusal('ERR_FLEET_REQUEST', () => accept, user.seed);
      const list = client.stream('peel.list', { pattern: text });
      await refusal('ERR_FLEET_REQUEST', () => list.next(), user.seed);
    }
  });

  it('is in no JWT', async () => {
    const refused = async (make: () => string) => refusal('ERR_JWT_OPTIONS', make, user.seed);
    await refused(() => createOperatorJwt(operator, { name: seed }));
    await refused(() => createAccountJwt(account, operator, { name: 'a', description: `x ${seed}` }));
    await refused(() => createUserJwt(user, account, { name: 'u', tags: [seed] }));
    await refused(() => createUserJwt(user, account, { name: 'u', tags: [seed.toLowerCase()] }));
    const permissions = { publish: { allow: [`a.${seed}`] }, subscribe: { allow: ['>'] } };
    await refused(() => createUserJwt(user, account, { name: 'u', permissions }));
  });
});
