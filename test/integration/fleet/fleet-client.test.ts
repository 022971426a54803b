import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseCredsData } from '../../../src/creds/parse.js';
import { connectFleet, type ConnectFleetOptions } from '../../../src/fleet-client/connect-fleet.js';
import type { Fleet as FleetClient } from '../../../src/fleet-client/fleet.js';
import { joinFleet } from '../../../src/peel/join.js';
import { fingerprint } from '../../../src/protocol/fingerprint.js';
import type { AuditEvent } from '../../../src/protocol/records/audit-event.js';
import { contextOf } from '../../../src/master/context-of.js';
import { atEnd } from '../../support/cleanup.js';
import { SEED } from '../../support/refusal.js';
import { tsProgram } from '../../support/ts-program.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds, TestPeel, tokenFile } from './peels.js';

let fleet: Fleet;
let adminCreds: string;
beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 600 });
  adminCreds = (await fleet.home.domain()).paths.adminCreds;
});

async function connected(options: Partial<ConnectFleetOptions> = {}): Promise<FleetClient> {
  const client = await connectFleet({ ...fleet.connection, credentials: adminCreds, ...options });
  atEnd(() => client.close());
  return client;
}

/**
 * A host that requests to join, and waits to be accepted.
 *
 * @returns the fingerprint of its key
 */
async function pending(peelId: string): Promise<string> {
  const token = await tokenFile(fleet, await fleet.admin());
  const end = new AbortController();
  atEnd(async () => end.abort());
  const out = join(fleet.home.dir, `${peelId}.joined.creds`);
  joinFleet({ ...fleet.connection, token, peelId, out, signal: end.signal }).catch(() => undefined);
  const { keys } = await fleet.record(peelId, ({ state }) => state === 'pending');
  return fingerprint(keys.at(-1)?.publicKey ?? '');
}

async function connectedPeel(peelId: string): Promise<void> {
  const { presence } = contextOf(fleet.master);
  await waitFor('its presence', () => (presence.get(peelId)?.connections.length ?? 0) > 0);
}

describe('connectFleet', () => {
  it('lists, shows, accepts, commands, rotates and revokes peels', async () => {
    const client = await connected();
    const shown = await pending('desk-1');

    const listed: string[] = [];
    for await (const { record } of client.peels.list({ pattern: 'desk-*', state: 'pending' }))
      listed.push(record.id);
    expect(listed).toEqual(['desk-1']);
    await expect(client.peels.accept('desk-1', { fingerprint: '0000' })).rejects.toMatchObject({
      code: 'ERR_FLEET_PROOF',
    });
    // a master compares it, too: the key may have changed since
    await expect(
      client.client.ask('peel.accept', { peelId: 'desk-1', fingerprint: '0000' }),
    ).rejects.toMatchObject({ code: 'ERR_FLEET_PROOF' });
    expect((await client.peels.show('desk-1')).record.state).toBe('pending');
    expect(await client.peels.accept('desk-1', { fingerprint: shown, reason: 'rack 7' })).toMatchObject({
      state: 'accepted',
      decided: { reason: 'rack 7' },
    });
    // a retry of the request changes nothing
    expect(await client.peels.accept('desk-1', { fingerprint: shown })).toMatchObject({
      decided: { reason: 'rack 7' },
    });

    const credsPath = await addCreds(fleet, await fleet.admin(), 'desk-2');
    await TestPeel.start(fleet, credsPath);
    await connectedPeel('desk-2');
    const replies = [];
    for await (const reply of client.peels.exec(['desk-2', 'desk-9'], 'ping', [], { timeoutMs: 2_000 }))
      replies.push(reply);
    expect(replies).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: 'desk-2', ok: true }),
        expect.objectContaining({ id: 'desk-9', ok: false, code: 'ERR_FLEET_NOT_CONNECTED' }),
      ]),
    );
    expect((await client.peels.rotate('desk-2')).outcome).toBe('told');
    const { revoked } = await client.peels.revoke('desk-2', { reason: 'stolen' });
    expect(revoked.length).toBeGreaterThan(0);
    expect((await client.peels.reject('desk-1')).state).toBe('rejected');
    await expect(client.peels.show('nobody-1')).rejects.toMatchObject({ code: 'ERR_FLEET_UNKNOWN_PEEL' });
    expect(await client.status()).toMatchObject({ policy: 'manual', lifetime: 600 });
  });

  it('creates join tokens that a host can use, lists and removes them', async () => {
    const client = await connected();
    const { token, creds } = await client.tokens.create({ ttlSeconds: 600, uses: 2, ids: 'lab-*' });

    expect(parseCredsData(creds, 'token').claims.name).toContain(token.id);
    expect((await client.tokens.list()).map(({ id }) => id)).toContain(token.id);
    expect(await client.tokens.remove(token.id)).toMatchObject({ id: token.id, ids: 'lab-*' });
    await expect(client.tokens.create({ uses: 0 })).rejects.toMatchObject({ code: 'ERR_FLEET_REQUEST' });
  });

  it('reads the audit, and follows it without reading ahead of the caller', async () => {
    const client = await connected();
    await addCreds(fleet, await fleet.admin(), 'seen-1');
    const followed: AuditEvent[] = [];
    for await (const event of client.audit({ peelId: 'seen-1', follow: true })) {
      followed.push(event);
      if (followed.length === 1) await client.peels.revoke('seen-1');
      if (event.kind === 'key.revoked') break;
    }
    const read: AuditEvent[] = [];
    for await (const event of client.audit({ peelId: 'seen-1', until: followed.at(-1)?.at ?? '' }))
      read.push(event);

    expect(followed.map(({ id }) => id)).toEqual(expect.arrayContaining(read.map(({ id }) => id)));
    expect(new Set(followed.map(({ id }) => id)).size).toBe(followed.length);
  });

  it('accepts a URL and parsed credentials, and closes at the end of a block', async () => {
    const byUrl = await connected({ credentials: pathToFileURL(adminCreds) });
    const parsed = parseCredsData(await readFile(adminCreds), 'admin');
    let closed: Promise<void | Error>;
    {
      await using scoped = await connectFleet({ ...fleet.connection, credentials: parsed });
      closed = scoped.connection.closed();
      expect((await scoped.status()).master).toBe((await byUrl.status()).master);
    }
    await closed;
  });

  it('rejects pending calls with the reason of its signal', async () => {
    const reason = new Error('enough');
    await expect(
      connectFleet({ ...fleet.connection, credentials: adminCreds, signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    const controller = new AbortController();
    const client = await connected({ signal: controller.signal });
    const following = (async () => {
      for await (const { id } of client.audit({ follow: true })) if (id === '') break;
    })();
    await client.status();
    controller.abort(reason);

    await expect(following).rejects.toBe(reason);
    await expect(client.status()).rejects.toBe(reason);
    await client.connection.closed();
    const other = await connected();
    await other.close();
    await expect(other.status()).rejects.toMatchObject({ code: 'ERR_FLEET_NOT_CONNECTED' });
  });

  it('refuses an invalid handler name, and sends no seed', async () => {
    const client = await connected();
    expect(() => client.peels.exec('web-1', 'rm -rf /')).toThrow(
      expect.objectContaining({ code: 'ERR_FLEET_REQUEST' }),
    );
    const seed = parseCredsData(await readFile(adminCreds), 'admin').seed;
    const text = Buffer.from(seed).toString();
    const refused = await client.peels
      .reject('web-1', { reason: text })
      .catch((error: unknown) => error as Error);
    expect(refused).toMatchObject({ code: 'ERR_FLEET_REQUEST' });
    expect(String(refused)).not.toMatch(SEED);
  });
});

describe('the program of examples/admin.ts', () => {
  const example = fileURLToPath(new URL('../../../examples/admin.ts', import.meta.url));

  it('has at most sixty lines', async () => {
    expect((await readFile(example, 'utf8')).trimEnd().split('\n').length).toBeLessThanOrEqual(60);
  });

  it('accepts known keys, rejects others, requests facts, follows the audit log, and stops on request', async () => {
    const shown = await pending('known-1');
    await pending('known-2');
    const list = join(fleet.home.dir, 'known-keys.json');
    await writeFile(list, JSON.stringify({ 'known-1': shown, 'known-2': '0000-0000' }));
    await TestPeel.start(fleet, await addCreds(fleet, await fleet.admin(), 'known-3'));
    await waitFor(
      'its presence',
      () => (contextOf(fleet.master).presence.get('known-3')?.connections.length ?? 0) > 0,
    );
    const program = spawn(process.execPath, [tsProgram(example), fleet.servers.join(','), adminCreds, list], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [program.stdout, program.stderr])
      stream.on('data', (data) => (output += String(data)));
    const ended = once(program, 'exit');
    atEnd(async () => program.kill('SIGKILL'));

    await waitFor('the audit', () => output.includes('audit '), 20_000).catch((error: unknown) => {
      throw new Error(output, { cause: error });
    });
    expect(output).toContain('accepted known-1');
    expect(output).toContain('rejected known-2');
    expect(output).toMatch(/known-3 \{/);
    program.kill('SIGTERM');
    expect(await ended, output).toEqual([0, null]);
    expect(output).not.toMatch(SEED);
  });
});
