import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CredsFile } from '../../src/creds/creds-file.js';
import { generateCredsFile } from '../../src/creds/generate.js';
import { parseCredsData } from '../../src/creds/parse.js';
import { FleetError } from '../../src/errors.js';
import { createUserJwt } from '../../src/jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../../src/nkeys/key-bundle.js';
import { FleetClock } from '../../src/peel/clock.js';
import type { PeelEvent } from '../../src/peel/events.js';
import { Renewer, type RenewerOptions } from '../../src/peel/renewer.js';
import { refusal } from '../support/refusal.js';

const HOUR = 3_600_000;
const NOON = Date.UTC(2030, 0, 1, 12);
const account = generateKeyBundle('account');

/** A day's credentials, issued now. */
function credsOf(key: KeyBundle): CredsFile {
  const jwt = createUserJwt(key, account, { name: 'web-1', expiry: 86_400, now: Date.now });
  return parseCredsData(Buffer.from(generateCredsFile(jwt, key.seed)), 'web-1.creds');
}

/** A peel's renewer, whose master returns `answers`, and whose store fails while `isFull`. */
function started(answers: { renew?: (key: KeyBundle) => CredsFile; rotate?: () => CredsFile } = {}) {
  const key = generateKeyBundle('user');
  const state = { current: credsOf(key), isFull: false, isSlow: false, writes: 0, renewals: 0, rotations: 0 };
  const events: PeelEvent[] = [];
  let ended: FleetError | undefined;
  const clock = new FleetClock(Date.now);
  clock.confirm(NOON, NOON, NOON);
  const credentials = {
    get current() {
      return state.current;
    },
    get jwtInUse() {
      return state.current.jwt;
    },
    refresh: () => undefined,
    hold: (creds: CredsFile) => void (state.current = creds),
    stored: (creds: CredsFile) => void (state.current = creds),
  };
  const store = {
    path: 'web-1.creds',
    write: async (creds: CredsFile) => {
      state.writes += 1;
      if (state.isFull) throw new Error('no space left on device');
      state.current = creds;
      if (state.isSlow) {
        renewer.checkNow();
        await new Promise((resolve) => setTimeout(resolve, 10));
        return;
      }
      // like the connection, which reads the file and switches to the new credentials
      setTimeout(() => renewer.checkNow(), 10);
    },
  };
  const renew = answers.renew ?? (() => credsOf(key));
  const rotate = answers.rotate ?? (() => credsOf(generateKeyBundle('user')));
  const renewer = new Renewer(
    {
      peelId: 'web-1',
      credentials,
      store,
      clock,
      emit: (event: PeelEvent) => void events.push(event),
      // like a peel, which stops on a notice that it is revoked
      ended: (error: FleetError) => {
        ended = error;
        void renewer.stop();
      },
    } as unknown as RenewerOptions,
    {
      renew: async () => {
        state.renewals += 1;
        return { creds: renew(key), rotate: false };
      },
      rotate: async () => {
        state.rotations += 1;
        return rotate();
      },
      keyInUse: () => undefined,
      forgetKey: () => undefined,
      askAgainFor: () => undefined,
      remainingMs: HOUR,
    },
  );
  renewer.start();
  const types = () => events.map(({ type }) => type);
  return {
    renewer,
    state,
    events,
    types,
    key,
    end: () => ended,
    advance: (ms: number) => vi.advanceTimersByTimeAsync(ms),
  };
}

beforeEach(() => void vi.useFakeTimers({ now: NOON }));
afterEach(() => void vi.useRealTimers());

describe('a renewer', () => {
  it('renews a day’s credential once within a day, before it expires', async () => {
    const { renewer, state, types, advance } = started();
    await advance(12 * HOUR);
    expect(state.renewals).toBe(0);
    await advance(11 * HOUR);
    expect([state.renewals, state.writes]).toEqual([1, 1]);
    expect(types()).toContain('renewed');
    await renewer.stop();
  });

  it('retries a renewal that fails until it works', async () => {
    let failures = 3;
    const { renewer, state, types, advance } = started({
      renew: (key) => {
        if (failures-- > 0) throw new FleetError('ERR_FLEET_NO_MASTER', 'none');
        return credsOf(key);
      },
    });
    await advance(23 * HOUR);
    expect(state.renewals).toBe(4);
    expect(types().filter((type) => type === 'renewalFailed')).toHaveLength(3);
    await renewer.stop();
  });

  it('stops when a master refuses permanently', async () => {
    const { renewer, end, advance } = started({
      renew: () => {
        throw new FleetError('ERR_FLEET_REVOKED', 'revoked', { peelId: 'web-1', final: true });
      },
    });
    await advance(23 * HOUR);
    expect(end()?.code).toBe('ERR_FLEET_REVOKED');
    await renewer.stop();
  });

  it('uses a new JWT at once that cannot be written, and writes it later', async () => {
    const { renewer, state, types, advance } = started();
    state.isFull = true;
    await advance(20 * HOUR);
    expect(state.writes).toBeGreaterThan(1);
    expect(state.current.claims.iat).toBeGreaterThan(NOON / 1000);
    state.isFull = false;
    await advance(2 * HOUR);
    expect(types()).toContain('written');
    await renewer.stop();
  });

  it('rotates once for several requests at once, and resolves them with the new key', async () => {
    const { renewer, state, key, advance } = started();
    const rotated = Promise.all([renewer.rotate(), renewer.rotate()]);
    await advance(60_000);
    const [first, second] = await rotated;
    expect(state.rotations).toBe(1);
    expect(first).toBe(state.current.publicKey);
    expect(second).toBe(first);
    expect(first).not.toBe(key.publicKey);
    await renewer.stop();
  });

  it('knows that its connection moved to a new key while the write was still under way', async () => {
    const { renewer, state, types, advance } = started();
    state.isSlow = true;
    const rotated = renewer.rotate();
    await advance(100);
    expect(await rotated).toBe(state.current.publicKey);
    expect(types()).toContain('keyRotated');
    await renewer.stop();
  });

  it('does not use a new key before it is stored', async () => {
    const { renewer, state, key, advance } = started();
    state.isFull = true;
    void renewer.rotate();
    await advance(HOUR);
    expect(state.current.publicKey).toBe(key.publicKey);
    state.isFull = false;
    await advance(HOUR);
    expect(state.current.publicKey).not.toBe(key.publicKey);
    await renewer.stop();
  });

  it('rejects pending and later rotations when it is stopped', async () => {
    const { renewer, state } = started();
    state.isFull = true;
    const pending = renewer.rotate().catch((error: FleetError) => error.code);
    await renewer.stop();
    expect(await pending).toBe('ERR_FLEET_STATE');
    await refusal('ERR_FLEET_STATE', () => renewer.rotate());
  });
});
