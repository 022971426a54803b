import { describe, expect, it } from 'vitest';
import { createUserJwt } from '../../../src/jwt/user.js';
import { decodeUserJwt } from '../../../src/jwt/decode.js';
import {
  policyDecision,
  requestToJoin,
  admissionDecision,
  admissionOf,
  liveOwner,
  refusalAction,
  type Refusal,
} from '../../../src/master/watch/admission.js';
import type { Verdict } from '../../../src/master/watch/judge.js';
import type { UserConnection } from '../../../src/master/watch/system-events.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { peelUserJwtOptions } from '../../../src/permissions/roles.js';
import type { PeelKeyState, PeelRecord, PeelState } from '../../../src/protocol/records/record.js';

const account = generateKeyBundle('account');
const user = generateKeyBundle('user');
const jwt = createUserJwt(user, account, peelUserJwtOptions('web-1', account.publicKey, { expiry: 60 }));
const claims = decodeUserJwt(jwt);

const connection: UserConnection = {
  server: 'NSERVER',
  cid: 7,
  serverName: 'n1',
  name: 'web-1',
  publicKey: user.publicKey,
  jwt,
  host: '10.0.0.7',
  since: new Date().toISOString(),
};
/** Of a JWT without a readable key. */
const unreadable: UserConnection = { ...connection, jwt: 'no.jwt.' };
const master = { kind: 'master' as const, name: 'm1' };
const refusal: Refusal = { is: 'refused', code: 'ERR_FLEET_ID_TAKEN', reason: 'two live keys' };
const appeared: Extract<Verdict, { is: 'new' }> = { is: 'new', claims, trusted: true };

describe('a connection that was judged', () => {
  it.each<[Verdict, string]>([
    [{ is: 'other' }, 'leave'],
    [{ is: 'token' }, 'leave'],
    [{ is: 'known' }, 'leave'],
    [{ is: 'first' }, 'admit'],
    [appeared, 'admit'],
  ])('%j: %s', (verdict, what) => {
    expect(admissionOf(connection, verdict, false)).toEqual({ do: what });
  });

  it('is not refused because of the cache alone', () => {
    expect(admissionOf(connection, refusal, false)).toEqual({ do: 'reread' });
    expect(admissionOf(connection, refusal, true)).toEqual({ do: 'refuse', refusal });
  });

  it('is refused at once where no record can change it', () => {
    const itself = { ...refusal, publicKey: user.publicKey };
    expect(admissionOf(connection, itself, false)).toEqual({ do: 'refuse', refusal: itself });
    expect(admissionOf({ ...connection, name: '*' }, refusal, false)).toEqual({ do: 'refuse', refusal });
  });
});

describe('an admitted connection', () => {
  it('makes a key that was issued live', () => {
    expect(admissionDecision(connection, { is: 'first' }, master)).toEqual({
      change: { kind: 'key.connected', publicKey: user.publicKey },
      by: master,
      from: '10.0.0.7 at n1',
    });
  });

  it('creates a record from the JWT of a peel without one', () => {
    const { iss, iat, exp } = claims;
    const key = { publicKey: user.publicKey, issuer: iss, issuedAt: iat, expiresAt: exp };
    expect(admissionDecision(connection, appeared, master)?.change).toEqual({
      kind: 'peel.appeared',
      key,
      origin: 'its own credentials',
    });
  });

  it('changes nothing when another master was faster', () => {
    expect(admissionDecision(connection, { is: 'known' }, master)).toBeUndefined();
    expect(admissionDecision(connection, refusal, master)).toBeUndefined();
  });

  it.each([
    ['accept', { change: { kind: 'peel.accepted' }, by: { kind: 'policy', name: 'custom' } }],
    ['reject', { change: { kind: 'peel.rejected' }, by: { kind: 'policy', name: 'custom' } }],
    ['pending', undefined],
  ] as const)('with the decision %s of a policy becomes %j', (decision, expected) => {
    const change = policyDecision(connection, decision, 'custom');
    if (expected === undefined) expect(change).toBeUndefined();
    else expect(change).toMatchObject({ ...expected, publicKey: connection.publicKey });
  });

  it('is described to the policy only by facts that its connection proves', () => {
    expect(requestToJoin(connection, appeared)).toMatchObject({
      peelId: connection.name,
      publicKey: connection.publicKey,
      how: 'connection',
      trusted: appeared.trusted,
      returning: false,
    });
  });
});

describe('a refused connection', () => {
  const nobody = { liveOwnerOf: () => undefined, connectionsOf: () => [] };
  const live = (connections: UserConnection[] = []) => ({
    liveOwnerOf: (key: string) => (key === user.publicKey ? 'web-1' : undefined),
    connectionsOf: () => connections,
  });

  it('has its key revoked at once where it is no live key of a peel', () => {
    expect(refusalAction(connection, refusal, nobody)).toEqual({ do: 'revoke', publicKey: user.publicKey });
  });

  it('has the revocation of a live key held, for the breaker to decide', () => {
    const held = { do: 'hold', publicKey: user.publicKey, peelId: 'web-1' };
    expect(refusalAction(connection, refusal, live([connection]))).toEqual(held);
  });

  it('is only cut if its JWT names no key', () => {
    expect(refusalAction(unreadable, refusal, nobody)).toEqual({ do: 'cut' });
  });

  it('does not cost a peel its key that names it while the peel is connected with it', () => {
    const its = { ...connection, cid: 8 };
    expect(refusalAction(unreadable, refusal, live([its]))).toEqual({ do: 'cut' });
  });

  it.each([
    ['itself', [unreadable]],
    ['one on another server', [{ ...connection, cid: 8, server: 'NOTHER' }]],
    ['one with a JWT that names no key either', [{ ...unreadable, cid: 8 }]],
  ])('is held where the other connection of the key is %s', (_what, others) => {
    expect(refusalAction(unreadable, refusal, live(others))).toMatchObject({ do: 'hold', peelId: 'web-1' });
  });
});

describe('the peel whose live key this is', () => {
  const record = (state: PeelState, key: PeelKeyState): PeelRecord => ({
    id: 'web-1',
    state,
    keys: [{ publicKey: user.publicKey, state: key }],
    number: 1,
    createdAt: '',
    updatedAt: '',
  });

  it.each<[PeelState, PeelKeyState, boolean]>([
    ['active', 'live', true],
    ['pending', 'live', true],
    ['active', 'issued', false],
    ['active', 'retired', false],
    ['active', 'revoking', false],
    ['rejected', 'live', false],
    ['revoked', 'live', false],
  ])('of a peel that is %s and a key that is %s: %s', (state, key, isLive) => {
    expect(liveOwner(record(state, key), user.publicKey)).toBe(isLive ? 'web-1' : undefined);
  });

  it('is unknown without a record', () => {
    expect(liveOwner(undefined, user.publicKey)).toBeUndefined();
  });
});
