import { describe, expect, it } from 'vitest';
import { generateCredsFile } from '../../src/creds/generate.js';
import { parseCredsData } from '../../src/creds/parse.js';
import { noStoreError } from '../../src/creds/credential-provider.js';
import type { FleetError } from '../../src/errors.js';
import { decodeUserJwt } from '../../src/jwt/decode.js';
import { createUserJwt } from '../../src/jwt/user.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { noticeSubject } from '../../src/permissions/names.js';
import { masterUserJwtOptions, peelUserJwtOptions } from '../../src/permissions/roles.js';
import { FleetClock } from '../../src/peel/clock.js';
import type { PeelEvent } from '../../src/peel/events.js';
import { NoticeFollower } from '../../src/peel/notice-follower.js';
import { encodeJson } from '../../src/protocol/messages.js';
import { MessageSigner } from '../../src/protocol/signed.js';

const NOW = Date.UTC(2030, 0, 1, 12);
const now = () => NOW;
const account = generateKeyBundle('account');
const masterKey = generateKeyBundle('user');
const masterJwt = createUserJwt(masterKey, account, masterUserJwtOptions(account.publicKey, { now }));
const master = new MessageSigner(parseCredsData(generateCredsFile(masterJwt, masterKey.seed), 'master'));
const peelKey = generateKeyBundle('user');
const claims = decodeUserJwt(
  createUserJwt(
    peelKey,
    generateKeyBundle('account'),
    peelUserJwtOptions('web-01', account.publicKey, { scoped: true, now }),
  ),
);

const subject = noticeSubject('web-01');

/** A follower, and what it did. */
function following({ rotate }: { rotate?: () => void } = {}) {
  const did: string[] = [];
  const ended: FleetError[] = [];
  const events: PeelEvent[] = [];
  const clock = new FleetClock(now);
  const follower = new NoticeFollower({
    peelId: 'web-01',
    claims: () => claims,
    clock,
    rotate: () => {
      rotate?.();
      did.push('rotate');
    },
    ended: (error) => void ended.push(error),
    emit: (event) => void events.push(event),
  });
  const receive = (notice: object, by = master) => {
    const data = encodeJson({ peelId: 'web-01', ...notice });
    follower.received({ subject, data, headers: by.sign(subject, data) });
  };
  return { follower, receive, clock, did, ended, events };
}

const at = (ms: number) => new Date(NOW + ms).toISOString();
const rotate = (ms = 0) => ({ kind: 'rotate', at: at(ms), publicKey: peelKey.publicKey });
const revoked = { kind: 'ended', at: at(0), code: 'ERR_FLEET_REVOKED', publicKeys: [peelKey.publicKey] };

describe('a notice of a master', () => {
  it('to rotate is followed once, and a newer one again', () => {
    const { receive, did, events } = following();
    receive(rotate());
    receive(rotate());
    expect(did).toEqual(['rotate']);
    receive(rotate(1_000));
    expect(did).toEqual(['rotate', 'rotate']);
    expect(events).toEqual([]);
  });

  it('to rotate is reported if the new credentials cannot be stored, each time', () => {
    const { receive, events } = following({
      rotate: () => {
        throw noStoreError('web-01');
      },
    });
    receive(rotate());
    receive(rotate());
    const ignored = { type: 'noticeIgnored', error: { code: 'ERR_CREDS_NO_STORE' } };
    expect(events).toMatchObject([ignored, ignored]);
  });

  it('that the peel was revoked ends it', () => {
    const { receive, ended } = following();
    receive(revoked);
    expect(ended).toMatchObject([{ code: 'ERR_FLEET_REVOKED', final: true }]);
  });

  it('about another key changes nothing, without a report', () => {
    const { receive, ended, events } = following();
    receive({ ...revoked, publicKeys: [generateKeyBundle('user').publicKey] });
    expect([ended, events]).toEqual([[], []]);
  });

  it('tells a peel whose clock is behind the time', () => {
    const { receive, clock } = following();
    receive(rotate(3_600_000));
    expect(clock.now()).toBe(NOW + 3_600_000);
  });
});

describe('a message that is no notice to follow', () => {
  it('is reported and changes nothing: unsigned, unreadable, or of somebody else', () => {
    const { follower, receive, did, ended, events } = following();
    follower.received({ subject, data: encodeJson({ peelId: 'web-01', ...revoked }) });
    follower.received({ subject, data: Buffer.from('{') });
    receive({ ...revoked, kind: 'unknown' });
    receive({ ...revoked, peelId: 'web-02' });
    const key = generateKeyBundle('user');
    const jwt = createUserJwt(key, generateKeyBundle('account'), { name: 'a stranger', now });
    receive(revoked, new MessageSigner(parseCredsData(generateCredsFile(jwt, key.seed), 'test')));
    expect(events).toHaveLength(5);
    for (const event of events)
      expect(event).toMatchObject({ type: 'noticeIgnored', error: { code: 'ERR_FLEET_ANSWER' } });
    expect([did, ended]).toEqual([[], []]);
  });

  it('is reported if it may be a replay', () => {
    const { receive, did, events } = following();
    receive({ kind: 'rotate', at: at(0), publicKey: generateKeyBundle('user').publicKey });
    expect(did).toEqual([]);
    expect(events).toMatchObject([{ type: 'noticeIgnored' }]);
  });
});
