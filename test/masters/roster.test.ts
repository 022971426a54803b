import { expect, it } from 'vitest';
import { createAccountJwt } from '../../src/jwt/account.js';
import { decodeAccountJwt } from '../../src/jwt/decode.js';
import { rosterOf } from '../../src/masters/roster.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { withLabel } from '../../src/permissions/master-label.js';
import { joinSigningKey, peelSigningKey } from '../../src/trust/keys/signing-keys.js';
import { withSystemKey } from '../../src/trust/keys/system-key.js';

const operator = generateKeyBundle('operator');
const key = () => generateKeyBundle('account').publicKey;
const users = [generateKeyBundle('user').publicKey];

function account(signingKeys: Parameters<typeof createAccountJwt>[2]['signingKeys'] = []) {
  return decodeAccountJwt(createAccountJwt(key(), operator, { name: 'x', signingKeys }));
}

it('gives each signing key to the master in its label, and those without one to the first', () => {
  const [own, join, ofB, joinOfB, ofSystem] = [key(), key(), key(), key(), key()];
  const label = { name: 'a-host', users };
  const labelled = (one: ReturnType<typeof peelSigningKey>) => ({
    ...one,
    description: withLabel(one.description ?? '', label),
  });
  const claims = account([
    labelled(joinSigningKey(joinOfB)),
    peelSigningKey(own),
    labelled(peelSigningKey(ofB)),
    joinSigningKey(join),
    key(),
  ]);
  const system = withSystemKey(account(), ofSystem, label);
  expect(rosterOf(claims, system, own)).toEqual([
    {
      name: 'first',
      keys: [
        { kind: 'peel-signing', publicKey: own },
        { kind: 'join-signing', publicKey: join },
      ],
      systemKeys: [],
      users: [],
    },
    {
      name: 'a-host',
      keys: [
        { kind: 'join-signing', publicKey: joinOfB },
        { kind: 'peel-signing', publicKey: ofB },
      ],
      systemKeys: [ofSystem],
      users,
    },
  ]);
});
