import { describe, expect, it } from 'vitest';
import { issuePeelCredentials } from '../../src/provision/issue-peel-credentials.js';
import { parseCredsData } from '../../src/creds/parse.js';
import type { PeelCredential } from '../../src/provision/issue-batch.js';
import { createUserJwt, MAX_USER_JWT_BYTES } from '../../src/jwt/user.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { peelPermissions } from '../../src/permissions/roles.js';
import { refusal } from '../support/refusal.js';

const account = generateKeyBundle('account');

function idsOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `web-${String(i).padStart(5, '0')}`);
}

async function all(source: AsyncIterable<PeelCredential>): Promise<PeelCredential[]> {
  const list: PeelCredential[] = [];
  for await (const credential of source) list.push(credential);
  return list;
}

describe('issuePeelCredentials', () => {
  it.each([
    ['in this thread', 0, 300],
    ['in two threads', 2, 600],
    ['for one peel', 2, 1],
    ['for no peel', 2, 0],
  ])(
    'gives each peel its own complete credentials, in the order of the IDs: %s',
    async (_what, workers, count) => {
      const ids = idsOf(count);
      const made = await all(issuePeelCredentials(ids, { signer: account, workers, expiry: 3600 }));

      expect(made.map(({ peelId }) => peelId)).toEqual(ids);
      expect(new Set(made.map(({ publicKey }) => publicKey)).size).toBe(count);
      for (const { peelId, publicKey, jwt, content } of made) {
        const creds = parseCredsData(content, peelId);
        expect(creds.claims).toMatchObject({ name: peelId, sub: publicKey, iss: account.publicKey });
        expect((creds.claims.exp ?? 0) - creds.claims.iat).toBe(3600);
        expect(creds.claims.nats.pub?.allow).toEqual(peelPermissions(peelId).publish?.allow);
        expect(creds.jwt).toBe(jwt);
      }
    },
  );

  it.each([0, 2])('signs with a scoped signing key (%i threads)', async (workers) => {
    const signer = generateKeyBundle('account');
    const options = { signer, issuerAccount: account.publicKey, scoped: true, workers };
    const made = await all(issuePeelCredentials(idsOf(300), options));

    const { claims } = parseCredsData(made.at(-1)?.content ?? '', 'the last');
    expect(claims.iss).toBe(signer.publicKey);
    expect(claims.nats).toEqual({ issuer_account: account.publicKey, type: 'user', version: 2 });
  });

  it('reads no more IDs than requested', async () => {
    let read = 0;
    function* endless() {
      for (;;) yield `web-${(read += 1)}`;
    }
    let taken = 0;
    for await (const { content } of issuePeelCredentials(endless(), { signer: account, workers: 2 })) {
      content.fill(0);
      if ((taken += 1) === 1_000) break;
    }
    expect(read).toBeLessThan(2_000);
  });

  it('does not hold an ID back until more arrive', async () => {
    let goOn: () => void = () => undefined;
    const later = new Promise<void>((resolve) => (goOn = resolve));
    async function* slow() {
      yield 'first';
      await later;
      yield 'second';
    }
    const made = issuePeelCredentials(slow(), { signer: account });
    expect((await made.next()).value?.peelId).toBe('first');
    goOn();
    expect((await made.next()).value?.peelId).toBe('second');
    expect((await made.next()).done).toBe(true);
  });

  it('yields finished credentials while the next ID is pending', async () => {
    let goOn: () => void = () => undefined;
    const later = new Promise<void>((resolve) => (goOn = resolve));
    const ids = idsOf(600); // more than are made without threads
    async function* slow() {
      yield* ids;
      await later;
      yield 'last';
    }
    const made = issuePeelCredentials(slow(), { signer: account, workers: 2 });
    for (const id of ids) expect((await made.next()).value?.peelId).toBe(id);
    goOn();
    expect((await made.next()).value?.peelId).toBe('last');
    expect((await made.next()).done).toBe(true);
  });

  it('can be left while the next ID is pending', async () => {
    async function* never() {
      yield* idsOf(300);
      await new Promise(() => undefined);
    }
    let taken = 0;
    for await (const { content } of issuePeelCredentials(never(), { signer: account, workers: 2 })) {
      content.fill(0);
      if ((taken += 1) === 300) break;
    }
    expect(taken).toBe(300);
  });

  it.each([0, 2])('ends at an invalid ID (%i threads)', async (workers) => {
    const ids = [...idsOf(300), 'a.b'];
    await refusal('ERR_PEEL_ID', () => all(issuePeelCredentials(ids, { signer: account, workers })));
  });

  it.each([0, 2])('ends when a JWT would be too large for a server (%i threads)', async (workers) => {
    // as many subjects as fit with a short ID, but not with a long one
    const permissions = { publish: { allow: ['zester.fact.a'] }, subscribe: { allow: ['zester.cmd.a'] } };
    const sizeOf = (name: string) =>
      createUserJwt(generateKeyBundle('user'), account, { name, permissions, maxBytes: Infinity }).length;
    while (sizeOf('web-00000') < MAX_USER_JWT_BYTES - 60)
      permissions.publish.allow.push('zester.some.subject');
    const ids = [...idsOf(300), 'x'.repeat(128)];
    const options = { signer: account, workers, permissions: { replace: permissions } };
    await refusal('ERR_JWT_TOO_LARGE', () => all(issuePeelCredentials(ids, options)));
  });

  it('refuses invalid options before it reads an ID', async () => {
    let read = 0;
    function* counted() {
      read += 1;
      yield 'web-01';
    }
    const options = { signer: account, issuerAccount: 'nonsense' };
    await refusal('ERR_KEY_ENCODING', () => all(issuePeelCredentials(counted(), options)));
    expect(read).toBe(0);
  });

  it('leaves the signer unchanged', async () => {
    await all(issuePeelCredentials(idsOf(300), { signer: account, workers: 2 }));
    expect(account.wiped).toBe(false);
    expect(account.verify('x', account.sign('x'))).toBe(true);
  });
});
