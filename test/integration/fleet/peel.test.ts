import { connect } from '@nats-io/transport-node';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { answerContext, type AdminClient } from '../../../src/protocol/admin-client.js';
import type { CommandAnswer } from '../../../src/protocol/command.js';
import { encodeJson } from '../../../src/protocol/messages.js';
import { MessageSigner } from '../../../src/protocol/signed.js';
import { requestPeel } from '../../../src/fleet-client/request-peel.js';
import { authSubject, commandSubject, noticeSubject } from '../../../src/permissions/names.js';
import { createUserJwtForPublicKey } from '../../../src/jwt/user.js';
import { peelUserJwtOptions } from '../../../src/permissions/roles.js';
import { isoTime } from '../../../src/jwt/time.js';
import { DEFAULT_LIFETIME_SECONDS } from '../../../src/master/default-options.js';
import type { BUILT_IN_HANDLERS } from '../../../src/peel/built-in-handlers.js';
import type { Peel } from '../../../src/peel/peel.js';
import { startPeel } from '../../../src/peel/peel.js';
import { atEnd } from '../../support/cleanup.js';
import { hostFacts } from '../../support/host-facts.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { connectUser } from './asking.js';
import { Fleet, startFleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';
import { endorsementsOf } from '../../../src/trust/own-creds.js';
import { startHome } from '../trust/support.js';

/** Sends a command as an admin does. */
async function command(
  fleet: Fleet,
  peel: Peel,
  handler: string,
  args: string[] = [],
): Promise<{ result?: unknown; error?: { code: string; message: string } }> {
  const nc = await connectUser(fleet, 'commander', undefined);
  const answer = await requestPeel(nc, peel.id, encodeJson({ handler, args }));
  await nc.close();
  return answer.json<CommandAnswer>();
}

describe('a peel', () => {
  let fleet: Fleet;
  let admin: AdminClient;
  beforeAll(async () => {
    fleet = await startFleet();
    admin = await fleet.admin();
  });

  it('answers ping, facts and registered handlers, and reveals nothing of the environment', async () => {
    process.env['ZESTER_TEST_SECRET'] = 'a secret of the environment';
    const { peel, events } = await TestPeel.start(fleet, await addCreds(fleet, admin, 'web-01'), {
      handlers: { 'disk.free': ([path]) => ({ path, bytes: 42 }) },
    });
    await fleet.record('web-01', ({ state }) => state === 'active');
    expect(peel.id).toBe('web-01');
    expect(events).toContainEqual(expect.objectContaining({ type: 'started', peelId: 'web-01' }));
    const { claims } = peel.credentials;
    expect((claims.exp ?? 0) - claims.iat).toBe(DEFAULT_LIFETIME_SECONDS);
    // a new handler needs its answer here to compile
    const answers: Record<keyof typeof BUILT_IN_HANDLERS, object> = {
      ping: {
        pong: true,
        peelId: 'web-01',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      },
      facts: {
        peelId: 'web-01',
        ...hostFacts(),
        credential: {
          publicKey: peel.credentials.publicKey,
          issued: isoTime(claims.iat),
          expires: isoTime(claims.exp ?? 0),
        },
      },
    };
    for (const [name, result] of Object.entries(answers))
      expect(await command(fleet, peel, name)).toEqual({ peelId: 'web-01', result });
    const { result } = await command(fleet, peel, 'facts');
    expect(JSON.stringify(result)).not.toContain('a secret of the environment');
    expect(await command(fleet, peel, 'disk.free', ['/var'])).toMatchObject({
      result: { path: '/var', bytes: 42 },
    });
    expect(await command(fleet, peel, 'sh', ['-c', 'id'])).toMatchObject({
      error: { code: 'ERR_FLEET_NO_HANDLER' },
    });
    const remove = peel.handle('late', () => 'registered later');
    expect(await command(fleet, peel, 'late')).toMatchObject({ result: 'registered later' });
    remove();
    expect(await command(fleet, peel, 'late')).toMatchObject({ error: { code: 'ERR_FLEET_NO_HANDLER' } });
    peel.handle('fails', () => Promise.reject(new Error('no such disk')));
    expect(await command(fleet, peel, 'fails')).toMatchObject({
      error: { code: 'ERR_FLEET_HANDLER', message: 'no such disk' },
    });
    expect(events).toContainEqual({ type: 'commandFailed', handler: 'fails', error: expect.any(Error) });
  });

  it('publishes events under its own name, and nothing else', async () => {
    const { peel } = await TestPeel.start(fleet, await addCreds(fleet, admin, 'events-1'));
    const nc = await connectUser(fleet, 'listener', undefined);
    const messages = nc.subscribe('zester.event.>', { max: 3 });
    await nc.flush();
    peel.publish('disk.full', { path: '/var' });
    peel.publish('raw', new Uint8Array([1, 2, 3]));
    peel.publish('bare');
    const got: [string, string][] = [];
    for await (const { subject, data } of messages) got.push([subject, Buffer.from(data).toString('latin1')]);
    expect(got).toEqual([
      ['zester.event.events-1.disk.full', '{"path":"/var"}'],
      ['zester.event.events-1.raw', '\u0001\u0002\u0003'],
      ['zester.event.events-1.bare', ''],
    ]);
    await refusal('ERR_SUBJECT', () => peel.publish('a b'));
    await refusal('ERR_SUBJECT', () => peel.publish('*'));
    await refusal('ERR_SUBJECT', () => peel.publish(''));
  });

  it('that is drained finishes its current command, accepts no more, and closes', async () => {
    let finish: () => void = () => undefined;
    let begun: () => void = () => undefined;
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    const test = await TestPeel.start(fleet, await addCreds(fleet, admin, 'drain-1'), {
      handlers: {
        slow: () => {
          begun();
          return new Promise((resolve) => (finish = () => resolve('done')));
        },
      },
    });
    const answer = command(fleet, test.peel, 'slow');
    await hasBegun;
    const drained = test.peel.drain();
    const nobody = await connectUser(fleet, 'other', undefined);
    await waitFor('the peel to take no more', async () => {
      try {
        await requestPeel(nobody, 'drain-1', encodeJson({ handler: 'ping', args: [] }), { timeoutMs: 1_000 });
        return false;
      } catch {
        return true;
      }
    });
    finish();
    expect(await answer).toMatchObject({ result: 'done' });
    await drained;
    expect(await test.peel.closed).toEqual({ reason: 'drained' });
    expect(test.events.at(-1)).toEqual({ type: 'drained' });
    expect(test.peel.nc.isClosed()).toBe(true);
    await refusal('ERR_FLEET_STATE', () => test.peel.rotate());
  });

  it('delivers its events to every iterator, and ends them when it stops', async () => {
    const { peel } = await TestPeel.start(fleet, await addCreds(fleet, admin, 'iterate-1'));
    const types: string[] = [];
    const reading = (async () => {
      for await (const { type } of peel.events()) types.push(type);
    })();
    await peel.rotate();
    await peel.drain();
    await reading;
    expect(types).toContain('keyRotated');
    expect(types.at(-1)).toBe('drained');
  });

  describe('cannot be started', () => {
    it.each([
      ['no file', 'ERR_FILE_NOT_FOUND', async () => join(fleet.home.dir, 'none.creds'), {}],
      [
        'the file of another',
        'ERR_CREDS_OTHER_PEEL',
        () => addCreds(fleet, admin, 'other-1'),
        { peelId: 'mine-1' },
      ],
      ['an id that is none', 'ERR_PEEL_ID', () => addCreds(fleet, admin, 'other-2'), { peelId: 'a.b' }],
      [
        'a torn file',
        'ERR_CREDS_FORMAT',
        async () => {
          const path = await addCreds(fleet, admin, 'torn-1');
          const text = await readFile(path, 'utf8');
          await writeFile(path, text.slice(0, 200));
          return path;
        },
        {},
      ],
    ])('with %s, which is reported at once', async (_what, code, creds, options) => {
      const credsPath = await creds();
      await refusal(code, () => startPeel({ servers: fleet.servers, credsPath, ...options }));
    });

    it('with credentials that the server refuses and that are expired by its own clock too', async () => {
      const path = (await fleet.home.issue('over-1', 1)).path;
      const expired = ((await loadCredsFile(path)).claims.exp ?? 0) * 1000;
      // servers calculate in whole seconds
      await waitFor('its end', () => Date.now() > expired + 1_050);
      await refusal('ERR_CREDS_EXPIRED', () => startPeel({ servers: fleet.servers, credsPath: path }));
    });

    it('without a server when it is not to wait', async () => {
      const credsPath = await addCreds(fleet, admin, 'nowait-1');
      const servers = 'nats://127.0.0.1:1';
      await refusal('ERR_CONNECT_UNREACHABLE', () =>
        startPeel({ servers, credsPath, waitOnFirstConnect: false }),
      );
    });
  });

  it('that waits for a server can be stopped', async () => {
    const credsPath = await addCreds(fleet, admin, 'abort-1');
    const ending = new AbortController();
    const starting = startPeel({
      servers: 'nats://127.0.0.1:1',
      credsPath,
      signal: ending.signal,
      onEvent: ({ type }) => type === 'waiting' && ending.abort(),
    });
    await expect(starting).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('reports that a master revoked it, and stops', async () => {
    const test = await TestPeel.start(fleet, await addCreds(fleet, admin, 'revoked-1'));
    await fleet.record('revoked-1', ({ state }) => state === 'active');
    await admin.ask('peel.revoke', { peelId: 'revoked-1', reason: 'stolen' });
    const end = await test.peel.closed;
    expect(end).toMatchObject({ reason: 'ended', error: { code: 'ERR_FLEET_REVOKED', final: true } });
    expect(end.error?.message).toContain('stolen');
    expect(test.of('ended')).toHaveLength(1);
    expect(test.peel.nc.isClosed()).toBe(true);
  });

  it('believes only a master that it is revoked or must replace its key', async () => {
    const test = await TestPeel.start(fleet, await addCreds(fleet, admin, 'forged-1'));
    const nc = await connectUser(fleet, 'forger', undefined);
    const at = new Date().toISOString();
    for (const notice of [
      { kind: 'ended', peelId: 'forged-1', code: 'ERR_FLEET_REVOKED', at },
      { kind: 'rotate', peelId: 'forged-1', at },
    ]) {
      nc.publish(noticeSubject('forged-1'), encodeJson(notice));
    }
    expect((await test.event('noticeIgnored', 2)).error.code).toBe('ERR_FLEET_ANSWER');
    expect(await command(fleet, test.peel, 'ping')).toMatchObject({ result: { pong: true } });
    expect(test.of('ended')).toEqual([]);
    expect(test.of('keyRotated')).toEqual([]);
  });
});

// These tests mostly wait, each with its own servers, so they run concurrently.

describe.concurrent('a peel without a master', () => {
  it('waits for its server, and for its master, and then renews', async () => {
    const home = await startHome();
    const fleet = new Fleet(home);
    const { path } = await home.issue('early-1', 60);
    await home.node(0).stop();
    const events: string[] = [];
    const starting = TestPeel.start(fleet, path, { onEvent: ({ type }) => events.push(type) });
    await waitFor('it to wait', () => events.includes('waiting'));
    await home.node(0).start();
    const { peel } = await starting;
    // its lifetime is short, and it does not know the time: it sends requests, and gets no answer
    await waitFor('a failure', () => events.includes('renewalFailed'));
    expect(events).not.toContain('renewed');
    await fleet.startMaster({ policy: 'auto-trusted', lifetime: 60 });
    await waitFor('the renewal', () => events.includes('renewed'));
    expect((await loadCredsFile(path)).jwt).toBe(peel.credentials.jwt);
  });

  it('trusts no refusal and no JWT from an impostor, and continues', async () => {
    const home = await startHome();
    const fleet = new Fleet(home);
    const { path } = await home.issue('lied-to-1', 60);
    const before = await readFile(path);
    const liar = await connectUser(fleet, 'liar', undefined);
    let lies = 0;
    liar.subscribe(authSubject('lied-to-1', 'renew'), {
      callback: (_error, msg) => {
        lies += 1;
        const { requestId } = msg.json<{ requestId: string }>();
        const error = { code: 'ERR_FLEET_REVOKED', message: 'revoked', final: true, requestId };
        msg.respond(
          encodeJson(
            lies === 1 ? { error } : { jwt: 'x', now: Date.now() + 3_600_000, requestId, rotate: true },
          ),
        );
      },
    });
    await liar.flush();
    const test = await TestPeel.start(fleet, path);
    const { error } = await test.event('renewalFailed', 3);
    expect(error).toMatchObject({ code: 'ERR_FLEET_ANSWER', final: false });
    expect(await readFile(path)).toEqual(before);
    expect(test.of('clockOff')).toEqual([]);
    expect(test.of('ended')).toEqual([]);
    expect(test.peel.nc.isClosed()).toBe(false);
  });
});

it.concurrent('a peel whose new JWT is due at once pauses before it renews', async () => {
  const home = await startHome();
  const fleet = new Fleet(home);
  const domain = await home.domain();
  const [peelSigner, creds] = await Promise.all([
    domain.peelSigner(),
    loadCredsFile(domain.paths.masterCreds),
  ]);
  const signer = new MessageSigner(creds, endorsementsOf(domain, creds));
  const { path, publicKey } = await home.issue('hot-1', 60);
  let asked = 0;
  const nc = await connectUser(fleet, 'master-with-a-bad-clock', undefined);
  nc.subscribe(authSubject('hot-1', 'renew'), {
    callback: (_error, msg) => {
      asked += 1;
      const { requestId } = msg.json<{ requestId: string }>();
      const options = { scoped: true, expiry: 20 };
      const jwt = createUserJwtForPublicKey(
        publicKey,
        peelSigner,
        peelUserJwtOptions('hot-1', domain.publicKeys.account, options),
      );
      // the clock of the answering master is ahead of the signing one's
      const data = encodeJson({ jwt, now: Date.now() + 15_000, requestId });
      msg.respond(data, { headers: signer.sign(answerContext('renew', requestId), data) });
    },
  });
  await nc.flush();
  const started = performance.now();
  const test = await TestPeel.start(fleet, path);
  await test.event('renewed', 3);
  // a tenth of the lifetime lies between two
  expect(asked).toBeLessThanOrEqual(1 + (performance.now() - started) / 2_000);
});

describe.concurrent('a lifetime of ten seconds', () => {
  /** Sends numbered commands continuously, and counts the answers of each. */
  async function talkTo(
    fleet: Fleet,
    id: string,
  ): Promise<{ sent: () => number; stop: () => Promise<{ sent: number; answers: number[] }> }> {
    const nc = await connectUser(fleet, 'talker', undefined);
    const answers: number[] = [];
    let sent = 0;
    let running = true;
    nc.subscribe(`zester.job.*.return.${id}`, {
      callback: (_error, msg) => {
        const number = msg.subject.split('.')[2];
        // an answer to a different command does not count
        if (msg.json<{ result?: string }>().result !== number) return;
        answers[Number(number)] = (answers[Number(number)] ?? 0) + 1;
      },
    });
    const talking = (async () => {
      while (running) {
        nc.publish(commandSubject(id), encodeJson({ handler: 'echo', args: [String(sent)] }), {
          reply: `zester.job.${sent}.return.${id}`,
        });
        sent += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    return {
      sent: () => sent,
      stop: async () => {
        running = false;
        await talking;
        await nc.flush();
        await waitFor('the last answers', () => Object.keys(answers).length === sent, 5_000).catch(
          () => undefined,
        );
        await nc.close();
        return { sent, answers };
      },
    };
  }

  it('is renewed again and again, and no command is lost or answered twice', async () => {
    const fleet = await startFleet({ lifetime: 10 });
    const admin = await fleet.admin();
    const test = await TestPeel.start(fleet, await addCreds(fleet, admin, 'short-1'), {
      handlers: { echo: ([text]) => text },
    });
    const talk = await talkTo(fleet, 'short-1');
    await test.event('renewed', 4, 40_000);
    // a busy machine sends fewer
    await waitFor('a thousand commands', () => talk.sent() > 1_000, 40_000);
    const { sent, answers } = await talk.stop();
    expect(sent).toBeGreaterThan(1_000);
    expect(answers).toEqual(new Array(sent).fill(1));
    for (const { expiresAt = 0 } of test.of('renewed')) expect(expiresAt).toBeGreaterThan(0);
    for (const type of ['disconnected', 'credentialsExpired'] as const) {
      expect(test.of(type)).toEqual([]);
    }
    expect(test.of('rotated').every(({ how }) => how === 'hitless')).toBe(true);
  }, 90_000);

  it('outlives the restart of its master, and of its server', async () => {
    const fleet = await startFleet({ lifetime: 10 });
    const admin = await fleet.admin();
    const test = await TestPeel.start(fleet, await addCreds(fleet, admin, 'restart-1'), {
      handlers: { echo: ([text]) => text },
    });
    await test.event('renewed', 1);
    await fleet.master.stop();
    await fleet.startMaster({ lifetime: 10 });
    await test.event('renewed', 2, 20_000);
    await fleet.home.node(0).restart();
    await test.event('reconnected', 1);
    await test.event('renewed', 4, 30_000);
    expect(await command(fleet, test.peel, 'echo', ['still here'])).toMatchObject({ result: 'still here' });
    expect(test.of('credentialsExpired')).toEqual([]);
  }, 90_000);
});

it.concurrent('a credential file that someone replaces is used, and not overwritten', async () => {
  const fleet = await startFleet({ lifetime: 3_600 });
  const admin = await fleet.admin();
  const credsPath = await addCreds(fleet, admin, 'replaced-1');
  const test = await TestPeel.start(fleet, credsPath);
  const old = test.peel.credentials.publicKey;
  await fleet.record('replaced-1', ({ state }) => state === 'active');
  await addCreds(fleet, admin, 'replaced-1', { replace: true });
  const { publicKey } = await loadCredsFile(credsPath);
  expect(publicKey).not.toBe(old);
  expect(await test.event('rotated')).toMatchObject({ publicKey, how: 'hitless' });
  expect((await loadCredsFile(credsPath)).publicKey).toBe(publicKey);
  // and a deleted file is written again at the next renewal
  await rm(credsPath);
  const next = await test.peel.rotate();
  expect((await loadCredsFile(credsPath)).publicKey).toBe(next);
  const nc = await connect({ servers: fleet.servers, ...(await loadCredsFile(credsPath)).natsOption() });
  atEnd(() => nc.close());
  expect(nc.isClosed()).toBe(false);
});
