import { describe, expect, it } from 'vitest';
import { decodeUserJwt } from '../../src/jwt/decode.js';
import { createUserJwt } from '../../src/jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../../src/nkeys/key-bundle.js';
import { masterUserJwtOptions, peelUserJwtOptions } from '../../src/permissions/roles.js';
import { endorse, endorsedKey } from '../../src/trust/keys/endorsements.js';
import { isMasterOf } from '../../src/protocol/is-master.js';

const NOW = 1_800_000_000;
const identity = generateKeyBundle('account');
const account = identity.publicKey;
const masters = generateKeyBundle('account');
const peels = generateKeyBundle('account');
const user = generateKeyBundle('user');
const endorsements = endorse(identity, account, masters.publicKey);
const time = { now: () => NOW * 1000, expiry: 60 };

/** A master's JWT that has no permissions of its own, signed by a key. */
const signedBy = (signer: KeyBundle, of = account) =>
  decodeUserJwt(createUserJwt(user, signer, masterUserJwtOptions(of, { scoped: true, ...time })));

describe('a peel trusts a master', () => {
  it('whose JWT the identity key of the account signed, as before', () => {
    const claims = decodeUserJwt(createUserJwt(user, identity, masterUserJwtOptions(account, time)));
    expect(isMasterOf(claims, account, NOW)).toBe(true);
    expect(isMasterOf(claims, account, NOW + 61)).toBe(false);
  });

  it('whose JWT a key signed that the identity key endorsed, until it expires', () => {
    expect(isMasterOf(signedBy(masters), account, NOW, endorsements)).toBe(true);
    expect(isMasterOf(signedBy(masters), account, NOW + 61, endorsements)).toBe(false);
  });

  it('whose key another master endorsed, up to eight in a row', () => {
    let chain = endorsements;
    let signer = masters;
    for (let i = 2; i <= 8; i += 1) {
      const next = generateKeyBundle('account');
      chain = endorse(signer, account, next.publicKey, chain);
      signer = next;
      expect(isMasterOf(signedBy(signer), account, NOW, chain)).toBe(true);
      // the chain is that of the last key only
      expect(isMasterOf(signedBy(masters), account, NOW, chain)).toBe(false);
    }
    expect(() => endorse(signer, account, masters.publicKey, chain)).toThrow(RangeError);
    expect(endorsedKey(account, `${chain} ${chain.split(' ')[7] ?? ''}`)).toBeUndefined();
  });
});

describe('a peel does not trust', () => {
  const stranger = generateKeyBundle('account');
  const ofOthers = endorse(stranger, account, masters.publicKey);
  const ofOther = endorse(stranger, stranger.publicKey, masters.publicKey);
  const changed = endorsements.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'));

  it.each([
    ['a key without an endorsement', signedBy(masters), ''],
    ['the key of peels, with the endorsement of the masters', signedBy(peels), endorsements],
    ['the key of peels, endorsed by itself', signedBy(peels), endorse(peels, account, peels.publicKey)],
    ['an endorsement by another account', signedBy(masters), ofOthers],
    ['an endorsement of another account', signedBy(masters), ofOther],
    ['a JWT of another account', signedBy(masters, stranger.publicKey), endorsements],
    ['a changed endorsement', signedBy(masters), changed],
    ['what is no endorsement', signedBy(masters), 'x'.repeat(5_000)],
    ['an endorsement with an empty link', signedBy(masters), `${endorsements} `],
  ])('%s', (_, claims, chain) => expect(isMasterOf(claims, account, NOW, chain)).toBe(false));

  it('a peel, a join token or an admin that the endorsed key signed', () => {
    const peel = peelUserJwtOptions('web-01', account, { scoped: true, ...time });
    const claims = decodeUserJwt(createUserJwt(user, masters, peel));
    expect(isMasterOf(claims, account, NOW, endorsements)).toBe(false);
  });

  it('a JWT of the endorsed key with permissions of its own, which no server accepts', () => {
    const claims = decodeUserJwt(createUserJwt(user, masters, masterUserJwtOptions(account, time)));
    expect(isMasterOf(claims, account, NOW, endorsements)).toBe(false);
  });
});
