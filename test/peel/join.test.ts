import { access, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeCredsFile } from '../../src/creds/generate.js';
import { createUserJwt } from '../../src/jwt/user.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { joinFleet, type JoinEvent, type JoinOptions } from '../../src/peel/join.js';
import { joinUserJwtOptions, peelUserJwtOptions } from '../../src/permissions/roles.js';
import { refusal } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';
import { createTestTrust } from '../support/trust.js';

const trust = createTestTrust();
const account = trust.account.key.publicKey;
const joinSigner = generateKeyBundle('account');

/**
 * Writes credentials signed by a signing key of the account.
 *
 * @returns options to join with them, without a listening server
 */
async function withToken(jwt = joinUserJwtOptions('abcdefgh', account, { expiry: 600 })) {
  const dir = await tempDir();
  const token = join(dir, 'token.creds');
  const user = generateKeyBundle('user');
  await writeCredsFile(token, createUserJwt(user, joinSigner, jwt), user.seed);
  const events: JoinEvent[] = [];
  const options: JoinOptions = {
    servers: `nats://127.0.0.1:${await closedPort()}`,
    token,
    peelId: 'web-1',
    out: join(dir, 'web-1.creds'),
    waitMs: 50,
    onEvent: (event) => void events.push(event),
  };
  return { options, events, pending: join(dir, 'web-1.creds.pending') };
}

/** A port on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('joining a fleet whose servers are not reached', () => {
  it('ends when its time is over, and keeps the key for the next attempt', async () => {
    const { options, events, pending } = await withToken();
    await refusal('ERR_CONNECT_UNREACHABLE', () => joinFleet(options));
    const [key] = events;
    expect(key).toMatchObject({ type: 'key', resumed: false });
    await access(pending);
    events.length = 0;
    await refusal('ERR_CONNECT_UNREACHABLE', () => joinFleet(options));
    expect(events[0]).toEqual({ ...key, resumed: true });
  });

  it('retries until it is aborted, and keeps the key', async () => {
    const { options, events, pending } = await withToken();
    const abort = new AbortController();
    const reason = new Error('enough');
    const onEvent = (event: JoinEvent) => {
      events.push(event);
      if (event.type === 'retrying') abort.abort(reason);
    };
    await expect(joinFleet({ ...options, waitMs: 60_000, signal: abort.signal, onEvent })).rejects.toThrow(
      'enough',
    );
    expect(events.at(-1)).toMatchObject({
      type: 'retrying',
      error: { code: 'ERR_CONNECT_UNREACHABLE' },
    });
    await access(pending);
  });

  it('does not end because a callback throws', async () => {
    const { options } = await withToken();
    const onEvent = () => {
      throw new Error('a bug in a callback');
    };
    await refusal('ERR_CONNECT_UNREACHABLE', () => joinFleet({ ...options, onEvent }));
  });

  it('shows no seed in its events', async () => {
    const { options, events, pending } = await withToken();
    await refusal('ERR_CONNECT_UNREACHABLE', () => joinFleet(options));
    const seed = /SU[A-Z2-7]{56}/.exec(await readFile(pending, 'utf8'))?.[0];
    expect(seed).toBeDefined();
    expect(JSON.stringify(events)).not.toContain(seed);
  });
});

describe('joining a fleet, before it connects,', () => {
  it('refuses a token that has expired', async () => {
    const { options, events } = await withToken(joinUserJwtOptions('abcdefgh', account, { expiry: 1 }));
    const now = () => Date.now() + 3_600_000;
    await refusal('ERR_FLEET_TOKEN_EXPIRED', () => joinFleet({ ...options, now }));
    expect(events).toEqual([]);
  });

  it('refuses credentials that are no join token', async () => {
    const { options, events } = await withToken(peelUserJwtOptions('web-9', account));
    await refusal('ERR_FLEET_TOKEN_UNKNOWN', () => joinFleet(options));
    expect(events).toEqual([]);
  });

  it('refuses an invalid peel ID', async () => {
    const { options } = await withToken();
    await refusal('ERR_PEEL_ID', () => joinFleet({ ...options, peelId: 'a.b' }));
  });
});
