import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import type { AdminClient } from '../../../src/protocol/admin-client.js';
import { fingerprint } from '../../../src/protocol/fingerprint.js';
import { encodeJson } from '../../../src/protocol/messages.js';
import { enrollSubject } from '../../../src/permissions/names.js';
import { joinName } from '../../../src/permissions/roles.js';
import { joinFleet, type JoinEvent, type JoinOptions } from '../../../src/peel/join.js';
import { contextOf } from '../../../src/master/context-of.js';
import { atEnd } from '../../support/cleanup.js';
import { SEED, expectNoSeed, refusal } from '../../support/refusal.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';
import { startHome } from '../trust/support.js';
import { connectUser } from './asking.js';
import { Fleet, startFleet } from './fleet.js';
import { TestPeel, tokenFile } from './peels.js';

/** A call of `joinFleet`, and its events. */
class Joining {
  readonly events: JoinEvent[] = [];
  readonly out: string;
  readonly #options: JoinOptions;

  constructor(fleet: Fleet, token: string, peelId: string, options: Partial<JoinOptions> = {}) {
    this.out = String(options.out ?? join(fleet.home.dir, `${peelId}-joined.creds`));
    this.#options = {
      servers: fleet.servers,
      token,
      peelId,
      waitMs: 30_000,
      onEvent: (event) => this.events.push(event),
      ...options,
      out: this.out,
    };
  }

  run = () => joinFleet(this.#options);

  event<T extends JoinEvent['type']>(type: T): Promise<Extract<JoinEvent, { type: T }>> {
    return waitFor(`the event ${type}`, () =>
      this.events.find((event): event is Extract<JoinEvent, { type: T }> => event.type === type),
    );
  }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

describe('a host with a join token', () => {
  let fleet: Fleet;
  let admin: AdminClient;
  beforeAll(async () => {
    fleet = await startFleet({ policy: 'auto-trusted', lifetime: 600 });
    admin = await fleet.admin();
  });

  it('gets credentials in a file that only its owner can read, and runs as a peel with them; no seed was on the wire', async () => {
    const proxy = await TcpProxy.start(() => fleet.home.node(0).port);
    atEnd(() => proxy.close());
    const token = await tokenFile(fleet, admin);
    const joining = new Joining(fleet, token, 'join-1', { servers: proxy.url });
    const result = await joining.run();
    expect(result).toMatchObject({ peelId: 'join-1', path: joining.out });
    expect(result.fingerprint).toBe(fingerprint(result.publicKey));
    expect((await stat(joining.out)).mode & 0o777).toBe(0o600);
    expect(await exists(`${joining.out}.pending`)).toBe(false);
    const { peel } = await TestPeel.start({ servers: [proxy.url] }, joining.out);
    await fleet.record('join-1', ({ state }) => state === 'active');
    const old = peel.credentials;
    const seeds = [(await loadCredsFile(token)).seed, old.seed];
    await peel.rotate();
    seeds.push(peel.credentials.seed);

    const wire = Buffer.concat(proxy.fromClients).toString('latin1');
    // the subjects of the requests were watched
    expect(wire).toContain('.challenge');
    expect(wire).toContain(result.publicKey);
    expect(wire).toContain('rotate');
    expect(wire).not.toMatch(SEED);
    expect(new Set(seeds.map((seed) => Buffer.from(seed).toString())).size).toBe(3);
    expectNoSeed(wire, ...seeds);
    for (const event of joining.events) expectNoSeed(event, ...seeds);
  });

  it('waits for its server, and for a master', async () => {
    const home = await startHome();
    const other = new Fleet(home);
    const master = await other.startMaster({ policy: 'auto-trusted' });
    const token = await tokenFile(other, await other.admin());
    await master.stop();
    await home.node(0).stop();
    const joining = new Joining(other, token, 'patient-1');
    const joined = joining.run();
    expect((await joining.event('retrying')).error).toMatchObject({ code: 'ERR_CONNECT_UNREACHABLE' });
    await home.node(0).start();
    await waitFor('no master to answer', () =>
      joining.events.some(
        (event) =>
          event.type === 'retrying' && (event.error as { code?: string }).code === 'ERR_FLEET_NO_MASTER',
      ),
    );
    await other.startMaster({ policy: 'auto-trusted' });
    expect(await joined).toMatchObject({ peelId: 'patient-1' });
  });

  it('with a wrong clock is warned, and joins', async () => {
    for (const [peelId, off] of [
      ['clock-1', 300_000],
      ['clock-2', -300_000],
    ] as const) {
      const joining = new Joining(fleet, await tokenFile(fleet, admin), peelId, {
        now: () => Date.now() + off,
      });
      await joining.run();
      const { offsetMs } = await joining.event('clockOff');
      expect(Math.abs(offsetMs + off)).toBeLessThan(11_000);
    }
  });

  it('trusts only the answers of masters', async () => {
    const home = await startHome();
    const other = new Fleet(home);
    const master = await other.startMaster({ policy: 'auto-trusted' });
    const token = await tokenFile(other, await other.admin());
    await master.stop();
    const user = (await loadCredsFile(token)).claims.name ?? '';
    const liar = await connectUser(other, 'liar', undefined);
    liar.subscribe(enrollSubject(user, 'challenge'), {
      callback: (_error, msg) => void msg.respond(encodeJson({ challenge: 'x'.repeat(32), now: Date.now() })),
    });
    await liar.flush();
    const joining = new Joining(other, token, 'lied-1', { waitMs: 1_500 });
    await refusal('ERR_FLEET_ANSWER', joining.run);
    expect(await exists(joining.out)).toBe(false);
    // the key was not disclosed, and is kept
    expect(await exists(`${joining.out}.pending`)).toBe(true);
  });

  describe('is refused', () => {
    it.each([
      ['with an id outside the pattern of the token', 'ERR_FLEET_TOKEN_ID', { ids: 'db-*' }, 'web-9'],
      ['with an id that is none', 'ERR_PEEL_ID', {}, 'a.b'],
    ])('%s', async (_what, code, options, peelId) => {
      const joining = new Joining(fleet, await tokenFile(fleet, admin, options), peelId);
      await refusal(code, joining.run);
      expect(await exists(joining.out)).toBe(false);
    });

    it('with a token that is used up', async () => {
      const token = await tokenFile(fleet, admin, { uses: 1 });
      await new Joining(fleet, token, 'used-1').run();
      await refusal('ERR_FLEET_TOKEN_USED_UP', new Joining(fleet, token, 'used-2').run);
    });

    it('with an expired token', async () => {
      const token = await tokenFile(fleet, admin, { ttl: 1 });
      const { exp = 0 } = (await loadCredsFile(token)).claims;
      await waitFor('its end', () => Date.now() > exp * 1000 + 1_100);
      await refusal('ERR_FLEET_TOKEN_EXPIRED', new Joining(fleet, token, 'late-1').run);
      const longAgo = { now: () => Date.now() + 3_600_000 };
      await refusal('ERR_FLEET_TOKEN_EXPIRED', new Joining(fleet, token, 'late-1', longAgo).run);
    });

    it('with an ID that is bound to another key', async () => {
      const token = await tokenFile(fleet, admin);
      await new Joining(fleet, token, 'taken-1').run();
      const out = join(fleet.home.dir, 'other-host.creds');
      await refusal('ERR_FLEET_ID_TAKEN', new Joining(fleet, token, 'taken-1', { out }).run);
    });

    it('with credentials that are not a join token', async () => {
      const { path } = await fleet.home.issue('no-token-1');
      await refusal('ERR_FLEET_TOKEN_UNKNOWN', new Joining(fleet, path, 'x-1').run);
    });

    it('without a writable destination, before sending a request', async () => {
      const out = join(fleet.home.dir, 'none', 'x.creds');
      const joining = new Joining(fleet, await tokenFile(fleet, admin), 'nowhere-1', { out });
      await refusal('ERR_FILE_DIRECTORY_NOT_FOUND', joining.run);
      expect(contextOf(fleet.master).registry.get('nowhere-1')).toBeUndefined();
    });

    it('with a damaged pending key, which it does not overwrite', async () => {
      const joining = new Joining(fleet, await tokenFile(fleet, admin), 'damaged-1');
      await writeFile(`${joining.out}.pending`, 'SUAAAA\n', { mode: 0o600 });
      await refusal('ERR_KEY_FILE', joining.run);
      expect(await readFile(`${joining.out}.pending`, 'utf8')).toBe('SUAAAA\n');
    });
  });
});

describe('where an admin accepts each peel', () => {
  let fleet: Fleet;
  let admin: AdminClient;
  beforeAll(async () => {
    fleet = await startFleet({ policy: 'manual', lifetime: 600 });
    admin = await fleet.admin();
  });

  it('a host shows the fingerprint of its key, waits, and has joined when it is accepted', async () => {
    const joining = new Joining(fleet, await tokenFile(fleet, admin), 'manual-1');
    const joined = joining.run();
    const shown = await joining.event('pending');
    const { keys } = await fleet.record('manual-1', ({ state }) => state === 'pending');
    expect(shown.fingerprint).toBe(fingerprint(keys[0]?.publicKey ?? ''));
    expect((await stat(`${joining.out}.pending`)).mode & 0o777).toBe(0o600);
    await admin.ask('peel.accept', { peelId: 'manual-1' });
    expect((await joined).publicKey).toBe(keys[0]?.publicKey);
    expect(joining.events.filter(({ type }) => type === 'pending')).toHaveLength(1);
  });

  it('a join that was interrupted, or not accepted in time, resumes with the same key', async () => {
    const token = await tokenFile(fleet, admin);
    const ending = new AbortController();
    const first = new Joining(fleet, token, 'manual-2', { signal: ending.signal });
    const interrupted = first.run();
    const { fingerprint: shown } = await first.event('pending');
    ending.abort();
    await expect(interrupted).rejects.toMatchObject({ name: 'AbortError' });

    const second = new Joining(fleet, token, 'manual-2', { waitMs: 100 });
    const error = await refusal('ERR_FLEET_PENDING', second.run);
    expect(error.message).toContain(shown);
    expect(second.events[0]).toMatchObject({ type: 'key', resumed: true, fingerprint: shown });

    await admin.ask('peel.accept', { peelId: 'manual-2' });
    const third = await new Joining(fleet, token, 'manual-2').run();
    expect(third.fingerprint).toBe(shown);
    expect((await loadCredsFile(third.path)).publicKey).toBe(third.publicKey);
  });

  it('a rejected peel is notified, and can return only with a new key', async () => {
    const token = await tokenFile(fleet, admin);
    const joining = new Joining(fleet, token, 'manual-3');
    const refused = refusal('ERR_FLEET_REJECTED', joining.run);
    const { fingerprint: shown } = await joining.event('pending');
    await admin.ask('peel.reject', { peelId: 'manual-3', reason: 'not one of ours' });
    expect((await refused).message).toContain('not one of ours');
    expect(await exists(`${joining.out}.pending`)).toBe(false);
    const again = new Joining(fleet, token, 'manual-3', { waitMs: 100 });
    await refusal('ERR_FLEET_PENDING', again.run);
    expect(again.events[0]).toMatchObject({ type: 'key', resumed: false });
    expect((await again.event('pending')).fingerprint).not.toBe(shown);
  });

  it('the user of the token is that of the token', async () => {
    const token = await loadCredsFile(await tokenFile(fleet, admin));
    expect(token.claims.name).toBe(joinName(token.publicKey.slice(1, 13)));
  });
});
