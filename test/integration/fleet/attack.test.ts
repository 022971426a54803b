import { errors, type NatsConnection } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CredsFile } from '../../../src/creds/creds-file.js';
import { newRequestId, type AdminClient } from '../../../src/protocol/admin-client.js';
import { encodeJson } from '../../../src/protocol/messages.js';
import { MessageSigner } from '../../../src/protocol/signed.js';
import { signRequest } from '../../../src/protocol/signed-request.js';
import { adminSubject, authSubject, commandSubject } from '../../../src/permissions/names.js';
import { createUserJwtForPublicKey } from '../../../src/jwt/user.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { ADMIN_INBOX_PREFIX, peelInboxPrefix } from '../../../src/permissions/names.js';
import { adminUserJwtOptions, masterUserJwtOptions } from '../../../src/permissions/roles.js';
import { contextOf } from '../../../src/master/context-of.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { addPeel, askMaster, connectUser, createToken, type BarePeel } from './asking.js';
import { startFleet, type Fleet } from './fleet.js';

type PermissionViolation = InstanceType<typeof errors.PermissionViolationError>;

let fleet: Fleet;
let admin: AdminClient;
/** The attacker, and its victim. */
let mallory: BarePeel;
let victim: BarePeel;
let refusedByServer: PermissionViolation[];

beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 900 });
  admin = await fleet.admin();
  mallory = await addPeel(fleet, admin, 'mallory');
  victim = await addPeel(fleet, admin, 'victim');
  await fleet.record('mallory', ({ state }) => state === 'active');
  await fleet.record('victim', ({ state }) => state === 'active');
  refusedByServer = violations(mallory.nc);
});

/** Collects the permission violations of a connection from now on. */
function violations(nc: NatsConnection): PermissionViolation[] {
  const found: PermissionViolation[] = [];
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type === 'error' && status.error instanceof errors.PermissionViolationError)
        found.push(status.error);
    }
  })();
  return found;
}

/** Checks that the server blocks all of these. */
async function cannotPublish(...subjects: string[]): Promise<void> {
  await denied('publish', subjects, (subject) => mallory.nc.publish(subject, '{}'));
}

async function cannotSubscribe(...subjects: string[]): Promise<void> {
  await denied('subscription', subjects, (subject) => {
    mallory.nc.subscribe(subject, { callback: () => undefined });
  });
}

async function denied(
  operation: 'publish' | 'subscription',
  subjects: readonly string[],
  act: (subject: string) => void,
): Promise<void> {
  for (const subject of subjects) {
    act(subject);
    await waitFor(`the server to refuse the ${operation} of ${subject}`, () =>
      refusedByServer.some((error) => error.operation === operation && error.subject === subject),
    );
  }
}

/** Checks that nothing of the victim or the registry has changed. */
async function unchanged(act: () => Promise<void>): Promise<void> {
  const records = () => JSON.stringify([...contextOf(fleet.master).registry.records()]);
  const before = records();
  await act();
  await victim.renew();
  const { record } = await admin.ask('peel.show', { peelId: 'victim' });
  expect(record.state).toBe('active');
  expect(record.keys.map(({ publicKey }) => publicKey)).toEqual([victim.key.publicKey]);
  const mine = (text: string) =>
    JSON.parse(text).find(({ id }: { id: string }) => id === 'mallory').keys.length;
  expect(mine(records())).toBe(mine(before));
}

describe('the holder of a peel’s credentials cannot', () => {
  it('accept itself, or do anything else that admins do', async () => {
    await unchanged(async () => {
      await cannotPublish(
        ...(['peel.accept', 'peel.add', 'peel.revoke', 'token.create', 'audit'] as const).map((verb) =>
          adminSubject(verb),
        ),
      );
      // on the subjects that it may publish to, no such request is answered
      for (const verb of ['accept', 'peel.accept', 'peel.add', 'admin.peel.accept']) {
        const subject = `zester.auth.mallory.${verb}`;
        const answer = await mallory.nc.request(subject, encodeJson({ peelId: 'mallory' }), {
          timeout: 5_000,
        });
        expect(answer.json()).toMatchObject({ error: { code: 'ERR_FLEET_REQUEST' } });
        const event = await fleet.audited('request.refused', (e) =>
          String(e.detail?.['request']).endsWith(subject),
        );
        expect(event).toMatchObject({ by: { kind: 'peel', name: 'mallory' }, peelId: 'mallory' });
      }
    });
  });

  it('renew or rotate as another', async () => {
    await unchanged(async () => {
      await cannotPublish(
        authSubject('victim', 'renew'),
        authSubject('victim', 'rotate'),
        'zester.auth.victim.x',
      );
      // on its own subject, with the other's key
      await refusal('ERR_FLEET_KEY_UNKNOWN', () => mallory.renew(newRequestId(), victim.key.publicKey));
      await refusal('ERR_FLEET_KEY_TAKEN', () => mallory.rotate(mallory.rotateRequest(victim.key)));
      // with proofs that it cannot make: of the other's key as the old one, or the new one
      const forged = mallory.rotateRequest(generateKeyBundle('user'));
      await refusal('ERR_FLEET_PROOF', () => mallory.rotate({ ...forged, publicKey: victim.key.publicKey }));
      await refusal('ERR_FLEET_PROOF', () =>
        mallory.rotate({ ...forged, newPublicKey: victim.key.publicKey }),
      );
      for (const code of ['ERR_FLEET_KEY_UNKNOWN', 'ERR_FLEET_KEY_TAKEN', 'ERR_FLEET_PROOF']) {
        await fleet.audited('request.refused', (e) => e.peelId === 'mallory' && e.code === code);
      }
    });
  });

  it('read or write the registry, the tokens, the presence, the challenges or the audit', async () => {
    await unchanged(async () => {
      for (const bucket of ['zester-peels', 'zester-fleet', 'zester-presence', 'zester-challenges']) {
        await cannotPublish(
          `$KV.${bucket}.victim`,
          `$KV.${bucket}.mallory`,
          `$JS.API.DIRECT.GET.KV_${bucket}.$KV.${bucket}.victim`,
          `$JS.API.DIRECT.GET.KV_${bucket}`,
          `$JS.API.STREAM.MSG.GET.KV_${bucket}`,
          `$JS.API.STREAM.PURGE.KV_${bucket}`,
          `$JS.API.STREAM.DELETE.KV_${bucket}`,
          `$JS.API.CONSUMER.CREATE.KV_${bucket}`,
        );
        await cannotSubscribe(`$KV.${bucket}.>`, `$KV.${bucket}.mallory`);
      }
      await cannotPublish(
        'zester.audit.mallory.peel.accepted',
        '$JS.API.STREAM.MSG.GET.zester-audit',
        '$JS.API.STREAM.DELETE.zester-audit',
        '$JS.API.CONSUMER.CREATE.zester-audit',
        '$JS.API.STREAM.CREATE.mine',
      );
      await cannotSubscribe('zester.audit.>', '$JS.>');
    });
  });

  it('answer for another peel, or send messages of masters', async () => {
    await cannotPublish(
      'zester.event.victim.up',
      'zester.fact.victim',
      'zester.job.j1.ack.victim',
      'zester.job.j1.return.victim',
      commandSubject('victim'),
      'zester.cmd.victim.notice',
      'zester.cmd.mallory.notice',
    );
    // callers of the victim get the victim's answer: its commands reach no other peel
    await cannotSubscribe(commandSubject('victim'), 'zester.cmd.>', 'zester.cmd.*');
  });

  it("read another's replies, or answer into an inbox that is not its own", async () => {
    await cannotSubscribe(
      `${peelInboxPrefix('victim')}.>`,
      '_INBOX.>',
      '_INBOX.*.>',
      '_INBOX._zester-admin.>',
      '_INBOX._zester-master.>',
      '>',
    );
    await cannotPublish(
      `${peelInboxPrefix('victim')}.x`,
      '_INBOX._zester-admin.x',
      '_INBOX._zester-master.x',
    );
  });

  it('impersonate a master: receive their requests, in their queue group or not', async () => {
    await cannotSubscribe(
      'zester.admin.>',
      'zester.auth.>',
      'zester.enroll.>',
      '$SRV.>',
      '$SRV.PING',
      '$SYS.>',
    );
    await denied('subscription', ['zester.auth.*.renew'], (subject) => {
      mallory.nc.subscribe(subject, { queue: 'zester-master', callback: () => undefined });
    });
    await cannotPublish('$SRV.PING', '$SYS.REQ.CLAIMS.UPDATE', '$SYS.REQ.USER.INFO');
  });

  it('request to join, or use its own key as a join token', async () => {
    const token = await createToken(admin, fleet);
    await cannotPublish(`zester.enroll.${token.user}.join`, 'zester.enroll.mallory.challenge');
  });

  it('make itself an admin by a JWT that it signs itself', async () => {
    // its own key as an account: it is not one of the operator's
    const account = generateKeyBundle('account');
    for (const options of [adminUserJwtOptions(account.publicKey), masterUserJwtOptions(account.publicKey)]) {
      const jwt = createUserJwtForPublicKey(mallory.key.publicKey, account, options);
      const subject = adminSubject('peel.accept');
      const data = encodeJson({ peelId: 'victim' });
      const signed = signedAs(jwt, subject, data);
      // it cannot publish there itself, so another user does
      const nc = await connectUser(fleet, 'carrier', undefined, ADMIN_INBOX_PREFIX);
      const answer = await nc.request(subject, data, { headers: signed, timeout: 5_000 });
      expect(answer.json()).toMatchObject({ error: { code: 'ERR_FLEET_DENIED' } });
    }
    await fleet.audited('request.refused', (e) => e.code === 'ERR_FLEET_DENIED');
  });

  function signedAs(jwt: string, subject: string, data: Uint8Array) {
    const seed = mallory.key.seed;
    const creds = { jwt, claims: {}, seed } as unknown as CredsFile;
    return signRequest(new MessageSigner(creds), subject, data);
  }

  it('flood the masters: it is rate-limited and audited once, and others are answered', async () => {
    const other = await addPeel(fleet, admin, 'patient');
    const before = contextOf(fleet.master).registry.get('mallory')?.number ?? 0;
    const replies = count(mallory.nc, `${peelInboxPrefix('mallory')}.flood`);
    const subject = authSubject('mallory', 'renew');
    const flood = (from: number) => {
      for (let i = 0; i < 5_000; i++) {
        const request = { requestId: `flood-${from}-${i}`, publicKey: mallory.key.publicKey };
        mallory.nc.publish(subject, encodeJson(request), { reply: `${peelInboxPrefix('mallory')}.flood` });
      }
    };
    flood(1);
    await mallory.nc.flush();
    await other.renew();
    flood(2);
    await mallory.nc.flush();
    await other.renew();
    const event = await fleet.audited('request.refused', (e) => e.code === 'ERR_FLEET_RATE');
    expect(event).toMatchObject({ by: { kind: 'peel', name: 'mallory' }, peelId: 'mallory' });
    const after = contextOf(fleet.master).registry.get('mallory')?.number ?? 0;
    expect(after - before).toBeLessThan(200);
    expect(replies.count).toBeLessThan(500);
    const refusals = (await fleet.audit('mallory')).filter(({ code }) => code === 'ERR_FLEET_RATE');
    // once, and the repetitions once a minute
    expect(refusals.length).toBeLessThanOrEqual(3);
    // and it is a normal peel again when it stops
    await waitFor('the flooder to be answered again', async () => (await mallory.renew()).jwt !== '', 30_000);
  });
});

it('a flood of enrolments with a join token is limited, and another host joins meanwhile', async () => {
  const flooder = await createToken(admin, fleet, { uses: 1_000_000 });
  const honest = await createToken(admin, fleet);
  const replies = count(flooder.nc, `_INBOX.${flooder.user}.flood`);
  const key = generateKeyBundle('user');
  for (let i = 0; i < 20_000; i++) {
    const request = { peelId: `flood-${i}`, publicKey: key.publicKey };
    flooder.nc.publish(`zester.enroll.${flooder.user}.challenge`, encodeJson(request), {
      reply: `_INBOX.${flooder.user}.flood`,
    });
  }
  await flooder.nc.flush();
  const joined = await honest.join('honest-1', generateKeyBundle('user'));
  expect(joined.state).toBe('pending');
  // it did not wait for the end of the flood
  expect(replies.count).toBeLessThan(10_000);
  const event = await fleet.audited('request.refused', (e) => e.by.name === flooder.tokenId);
  expect(event).toMatchObject({ code: 'ERR_FLEET_RATE', by: { kind: 'token' } });
  const refusals = (await fleet.audit()).filter(({ by }) => by.name === flooder.tokenId);
  expect(refusals.length).toBeLessThanOrEqual(3);
});

it('a stranger’s message is answered only with a refusal', async () => {
  const { nc, account } = await addPeel(fleet, admin, 'stranger');
  for (const [subject, data] of [
    [authSubject('stranger', 'renew'), 'not json'],
    [authSubject('stranger', 'renew'), JSON.stringify({ requestId: 'x'.repeat(200) })],
    [authSubject('stranger', 'rotate'), JSON.stringify({ requestId: newRequestId(), publicKey: 'SUAB' })],
    [authSubject('stranger', 'renew'), 'x'.repeat(100_000)],
  ] as const) {
    const answer = await nc.request(subject, data, { timeout: 5_000 });
    expect(answer.json()).toMatchObject({ error: { code: 'ERR_FLEET_REQUEST' } });
  }
  await refusal('ERR_FLEET_REQUEST', () =>
    askMaster(nc, account, 'renew', authSubject('stranger', 'renew'), {
      requestId: newRequestId(),
      publicKey: 'SUAMK2FG4MI6UE3ACF3FK3OIQBCEIEZV7NSWFFEW63UXMRLFM2XLAXK4GY',
    }),
  );
});

/** Counts incoming messages. */
function count(nc: NatsConnection, subject: string): { count: number } {
  const seen = { count: 0 };
  nc.subscribe(subject, {
    callback: () => {
      seen.count += 1;
    },
  });
  return seen;
}
