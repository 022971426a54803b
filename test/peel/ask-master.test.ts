import { describe, expect, it } from 'vitest';
import { generateCredsFile } from '../../src/creds/generate.js';
import { parseCredsData } from '../../src/creds/parse.js';
import { createUserJwt, type UserJwtOptions } from '../../src/jwt/user.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { askMaster, type Question } from '../../src/peel/ask-master.js';
import { FleetClock } from '../../src/peel/clock.js';
import { masterUserJwtOptions, peelUserJwtOptions } from '../../src/permissions/roles.js';
import { answerContext } from '../../src/protocol/admin-client.js';
import { encodeJson } from '../../src/protocol/messages.js';
import { MessageSigner } from '../../src/protocol/signed.js';
import { refusal } from '../support/refusal.js';

const NOW = Date.UTC(2030, 0, 1, 12);
const now = () => NOW;
const REQUEST = 'request-0001';
const account = generateKeyBundle('account');

function credsOf(options: UserJwtOptions) {
  const key = generateKeyBundle('user');
  return parseCredsData(generateCredsFile(createUserJwt(key, account, options), key.seed), 'test');
}

const creds = credsOf(peelUserJwtOptions('web-01', account.publicKey, { now }));
const master = new MessageSigner(credsOf(masterUserJwtOptions(account.publicKey, { now })));

function question(clock = new FleetClock(now)): Question<'recover'> {
  return { name: 'recover', context: REQUEST, creds, clock };
}

/** A master's answer to the request, which says that it answers this one. */
function answerTo(requestId: string, time = NOW) {
  const data = encodeJson({ state: 'notExpired', now: time, requestId });
  return () => Promise.resolve({ data, headers: master.sign(answerContext('recover', REQUEST), data) });
}

describe('asking a master', () => {
  it('gives the answer, and sets the clock by it', async () => {
    const clock = new FleetClock(now);
    const answer = await askMaster(question(clock), answerTo(REQUEST, NOW + 60_000));
    expect(answer).toEqual({ state: 'notExpired', now: NOW + 60_000, requestId: REQUEST });
    expect(clock.confirmed).toBe(true);
    expect(clock.now()).toBe(NOW + 60_000);
  });

  it('ignores the answer to another request, and its time', async () => {
    const clock = new FleetClock(now);
    await refusal('ERR_FLEET_ANSWER', () => askMaster(question(clock), answerTo('request-0002')));
    expect(clock.confirmed).toBe(false);
  });

  it('ignores an answer that no master of the account signed', async () => {
    const peel = new MessageSigner(creds);
    const { data } = await answerTo(REQUEST)();
    const headers = peel.sign(answerContext('recover', REQUEST), data);
    const clock = new FleetClock(now);
    await refusal('ERR_FLEET_ANSWER', () =>
      askMaster(question(clock), () => Promise.resolve({ data, headers })),
    );
    expect(clock.confirmed).toBe(false);
  });

  it('rethrows the error of sending', async () => {
    const failure = new Error('the connection broke');
    await expect(askMaster(question(), () => Promise.reject(failure))).rejects.toBe(failure);
  });
});
