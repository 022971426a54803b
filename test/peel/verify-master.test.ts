import type { MsgHdrs } from '@nats-io/nats-core';
import { describe, expect, it } from 'vitest';
import { generateCredsFile } from '../../src/creds/generate.js';
import { parseCredsData } from '../../src/creds/parse.js';
import { FleetError } from '../../src/errors.js';
import { answerContext } from '../../src/protocol/admin-client.js';
import { encodeJson, refusalOf } from '../../src/protocol/messages.js';
import { MessageSigner } from '../../src/protocol/signed.js';
import { noticeSubject } from '../../src/permissions/names.js';
import { decodeUserJwt } from '../../src/jwt/decode.js';
import { createUserJwt, type UserJwtOptions } from '../../src/jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../../src/nkeys/key-bundle.js';
import {
  adminUserJwtOptions,
  masterUserJwtOptions,
  peelUserJwtOptions,
} from '../../src/permissions/roles.js';
import { checkGivenJwt, readMasterAnswer } from '../../src/peel/verify-master.js';
import { readNotice } from '../../src/peel/notices.js';
import { refusal } from '../support/refusal.js';

const NOW = Date.UTC(2030, 0, 1, 12);
const now = () => NOW;
const account = generateKeyBundle('account');
const peelSigner = generateKeyBundle('account');
const user = generateKeyBundle('user');
const A = account.publicKey;

function signer(options: UserJwtOptions, issuer: KeyBundle): MessageSigner {
  const key = generateKeyBundle('user');
  const jwt = createUserJwt(key, issuer, options);
  return new MessageSigner(parseCredsData(generateCredsFile(jwt, key.seed), 'test'));
}

function peelJwt(
  options: Partial<{ key: KeyBundle; name: string; of: string; issuedAt: number; expiry: number }> = {},
) {
  const { key = user, name = 'web-01', of = A, issuedAt = NOW, expiry = 3_600 } = options;
  return createUserJwt(
    key,
    peelSigner,
    peelUserJwtOptions(name, of, { scoped: true, now: () => issuedAt, expiry }),
  );
}

const master = signer(masterUserJwtOptions(A, { now }), account);
const trusted = { account: A, now: NOW };
const REQUEST = 'request-0001';
const CONTEXT = answerContext('renew', REQUEST);

function signed(
  value: object,
  by: MessageSigner = master,
  context = CONTEXT,
): { data: Uint8Array; headers: MsgHdrs } {
  const data = encodeJson(value);
  return { data, headers: by.sign(context, data) };
}

const good = () => ({ jwt: peelJwt(), now: NOW, requestId: REQUEST });
const read = (answer: { data: Uint8Array; headers?: MsgHdrs }) =>
  readMasterAnswer('renew', REQUEST, answer, trusted);

describe('an answer of a master', () => {
  it('is read when a master of the account signed it', () => {
    expect(read(signed(good()))).toMatchObject({ now: NOW, requestId: REQUEST });
  });

  it('is refused when it is not signed', async () => {
    await refusal('ERR_FLEET_ANSWER', () => read({ data: encodeJson(good()) }));
  });

  it('is refused when it was changed on the way', async () => {
    const { headers } = signed(good());
    const data = encodeJson({ ...good(), now: NOW + 1 });
    await refusal('ERR_FLEET_ANSWER', () => read({ data, headers }));
  });

  it('is refused when it answers another request, or is an answer to another question', async () => {
    await refusal('ERR_FLEET_ANSWER', () =>
      read(signed(good(), master, answerContext('renew', 'request-0002'))),
    );
    await refusal('ERR_FLEET_ANSWER', () => read(signed(good(), master, answerContext('rotate', REQUEST))));
  });

  it.each([
    ['a master of another account', () => other(masterUserJwtOptions)],
    ['an admin', () => signer(adminUserJwtOptions(A, { now }), account)],
    ['another peel', () => signer(peelUserJwtOptions('web-02', A, { now, scoped: true }), peelSigner)],
    [
      'a peel that calls itself a master',
      () =>
        signer({ ...peelUserJwtOptions('x', A, { now, scoped: true }), name: 'zester-master' }, peelSigner),
    ],
    [
      'a master whose JWT has expired',
      () => signer(masterUserJwtOptions(A, { now: () => NOW - 10_000, expiry: 5 }), account),
    ],
  ])('is refused when %s signed it', async (_who, by) => {
    await refusal('ERR_FLEET_ANSWER', () => read(signed(good(), by())));
  });

  it('that refuses is thrown with its code, and is permanent if marked so', async () => {
    const no = new FleetError('ERR_FLEET_REVOKED', 'the peel is revoked', { final: true });
    const answer = signed(refusalOf(no, { requestId: REQUEST }));
    expect(await refusal('ERR_FLEET_REVOKED', () => read(answer))).toMatchObject({ final: true });
    const later = new FleetError('ERR_FLEET_PENDING', 'not yet');
    const pending = signed(refusalOf(later, { requestId: REQUEST }));
    expect(await refusal('ERR_FLEET_PENDING', () => read(pending))).toMatchObject({ final: false });
  });

  it("that refuses permanently is not trusted without a master's signature", async () => {
    const no = refusalOf(new FleetError('ERR_FLEET_REVOKED', 'revoked', { final: true }));
    for (const answer of [{ data: encodeJson(no) }, signed(no, other(masterUserJwtOptions))]) {
      expect(await refusal('ERR_FLEET_ANSWER', () => read(answer))).toMatchObject({ final: false });
    }
  });

  function other(options: typeof masterUserJwtOptions): MessageSigner {
    const stranger = generateKeyBundle('account');
    return signer(options(stranger.publicKey, { now }), stranger);
  }
});

describe('a JWT from a master', () => {
  const wanted = { peelId: 'web-01', publicKey: user.publicKey, notIssuedBefore: NOW / 1000 };
  const check = (jwt: string) => checkGivenJwt(jwt, wanted, trusted);

  it('is taken when it is for this key, id and account, not older than the one in use, and good', () => {
    expect(check(peelJwt())).toMatchObject({ name: 'web-01', sub: user.publicKey });
    expect(check(peelJwt({ issuedAt: NOW + 60_000 }))).toMatchObject({ name: 'web-01' });
  });

  it.each([
    ['another key', () => peelJwt({ key: generateKeyBundle('user') })],
    ['another id', () => peelJwt({ name: 'web-02' })],
    ['another account', () => peelJwt({ of: generateKeyBundle('account').publicKey })],
    ['an earlier time: an old answer again', () => peelJwt({ issuedAt: NOW - 1_000 })],
    [
      'a time that is over',
      () => createUserJwt(user, account, { name: 'web-01', now: () => NOW, expiry: 1 }),
    ],
    ['no JWT at all', () => 'x.y.z'],
  ])('is not used when it is for %s', async (_what, jwt) => {
    const late = { ...trusted, now: NOW + 1_000 };
    await refusal('ERR_FLEET_ANSWER', () => checkGivenJwt(jwt(), wanted, late));
  });
});

describe('a notice', () => {
  const subject = noticeSubject('web-01');
  const at = new Date(NOW).toISOString();
  const own = decodeUserJwt(peelJwt());
  const readIt = (message: { data: Uint8Array; headers?: MsgHdrs }) =>
    readNotice({ subject, ...message }, 'web-01', own, NOW);

  it('is accepted when a master of the account signed it for this peel', () => {
    const notice = { kind: 'rotate', peelId: 'web-01', at };
    expect(readIt(signed(notice, master, subject))).toEqual(notice);
  });

  it('is ignored if it is unsigned, for another peel, from another signer, or malformed', async () => {
    const notice = { kind: 'ended', peelId: 'web-01', code: 'ERR_FLEET_REVOKED', at };
    await refusal('ERR_FLEET_ANSWER', () => readIt({ data: encodeJson(notice) }));
    await refusal('ERR_FLEET_ANSWER', () => readIt(signed({ ...notice, peelId: 'web-02' }, master, subject)));
    await refusal('ERR_FLEET_ANSWER', () => readIt(signed(notice, master, noticeSubject('web-02'))));
    const admin = signer(adminUserJwtOptions(A, { now }), account);
    await refusal('ERR_FLEET_ANSWER', () => readIt(signed(notice, admin, subject)));
    await refusal('ERR_FLEET_ANSWER', () => readIt(signed({ ...notice, kind: 'shutdown' }, master, subject)));
  });
});
