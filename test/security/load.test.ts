// Load as an attack: while it lasts, others renew, and the master's memory and the audit log stay small. With ZESTER_SECURITY=long.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { bootstrapPeelCreds } from '../../src/creds/bootstrap.js';
import { connectFleet } from '../../src/fleet-client/connect-fleet.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { adminUserName } from '../../src/permissions/admin-names.js';
import { adminSubject, authSubject, enrollSubject } from '../../src/permissions/names.js';
import { joinName } from '../../src/permissions/roles.js';
import { newRequestId, type AdminClient } from '../../src/protocol/admin-client.js';
import { zester } from '../cli/run-zester.js';
import { addPeel, type BarePeel } from '../integration/fleet/asking.js';
import { startFleet, type Fleet } from '../integration/fleet/fleet.js';
import { addCreds, TestPeel, tokenFile } from '../integration/fleet/peels.js';
import { atEnd } from '../support/cleanup.js';
import { writeSignedRequests } from './signed-requests.js';

const IS_LONG = process.env['ZESTER_SECURITY'] === 'long';
const ATTACKER = fileURLToPath(new URL('attacker.mjs', import.meta.url));
const FLOODER = fileURLToPath(new URL('../integration/fleet/flooder.mjs', import.meta.url));
const SECONDS = 8;
/** Maximum growth of the master's process, which also runs this test, in bytes. */
const GROWTH = 512 * 1024 * 1024;
/** Events that an attack may add to the audit log, besides those of the renewals. */
const AUDIT_EVENTS = 200;

let fleet: Fleet;
let admin: AdminClient;
let victims: BarePeel[];

beforeAll(async () => {
  if (!IS_LONG) return;
  fleet = await startFleet({ policy: 'auto-trusted', lifetimeSeconds: 900 });
  admin = await fleet.admin();
  victims = await Promise.all(['web-1', 'web-2', 'web-3'].map((id) => addPeel(fleet, admin, id)));
  for (const { peelId } of victims) await fleet.record(peelId, ({ state }) => state === 'active');
});

/** @returns the file of its credentials */
async function addViewer(name: string): Promise<string> {
  const out = join(fleet.home.dir, `${name}.admin.creds`);
  const at = ['--home', fleet.home.home, '--servers', ...fleet.servers];
  const added = await zester(['admin', 'add', name, '--role', 'viewer', '--out', out, ...at]);
  expect(added.code, added.stderr).toBe(0);
  return out;
}

/** Runs an attack in a separate process, while others renew at their rate limit. Prints how long that took. */
async function underAttack(name: string, script: string, ...args: string[]): Promise<void> {
  const before = { rss: process.memoryUsage().rss, events: (await fleet.audit()).length };
  let isOver = false;
  const attack = new Promise<string>((resolve, reject) => {
    const child = execFile(process.execPath, [script, ...args], (error, stdout) => {
      isOver = true;
      if (error === null) resolve(stdout);
      else reject(error);
    });
    atEnd(() => Promise.resolve(child.kill('SIGKILL')));
  });
  const took: number[] = [];
  let most = before.rss;
  while (!isOver) {
    await Promise.all(
      victims.map(async (victim) => {
        const from = performance.now();
        expect((await victim.renewAgain()).jwt).toMatch(/^ey/);
        took.push(performance.now() - from);
      }),
    );
    most = Math.max(most, process.memoryUsage().rss);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  const done = await attack;
  const events = (await fleet.audit()).length - before.events;
  took.sort((a, b) => a - b);
  const [median = 0, longest = 0] = [took[Math.floor(took.length / 2)], took.at(-1)];
  process.stdout.write(
    `${name}: ${done}; ${took.length} renewals of others: median ${median.toFixed(0)} ms, longest ${longest.toFixed(0)} ms; ` +
      `master +${((most - before.rss) / 1e6).toFixed(0)} MB; ${events} audit events\n`,
  );
  expect(took.length).toBeGreaterThanOrEqual(victims.length);
  expect(most - before.rss).toBeLessThan(GROWTH);
  expect(events).toBeLessThan(took.length + AUDIT_EVENTS);
}

describe.runIf(IS_LONG)('while others renew, and memory and the audit log stay bounded', () => {
  it('under a thousand logins a second', async () => {
    const path = join(fleet.home.dir, 'stranger.creds');
    await bootstrapPeelCreds(generateKeyBundle('account'), 'web-1', path);
    await underAttack('logins', ATTACKER, 'logins', fleet.servers[0] ?? '', path, '', '1000', `${SECONDS}`);
  }, 120_000);

  it('with a client that reads no answers', async () => {
    const path = await addCreds(fleet, admin, 'slow-1');
    const args = ['slow', fleet.servers[0] ?? '', path, authSubject('slow-1', 'renew'), '1000', `${SECONDS}`];
    await underAttack('slow readers', ATTACKER, ...args);
  }, 120_000);

  it('a peel sends renewals as fast as it can', async () => {
    const path = await addCreds(fleet, admin, 'flood-1');
    const args = [fleet.servers[0] ?? '', path, authSubject('flood-1', 'renew'), '64', `${SECONDS}`];
    await underAttack('renewals', FLOODER, ...args);
  }, 120_000);

  it('the holder of a join token sends requests to join as fast as they can', async () => {
    const path = await tokenFile(fleet, admin);
    const tokenId = /token-(\w+)\.creds$/.exec(path)?.[1] ?? '';
    const args = [
      fleet.servers[0] ?? '',
      path,
      enrollSubject(joinName(tokenId), 'join'),
      '256',
      `${SECONDS}`,
    ];
    await underAttack('joins', FLOODER, ...args);
  }, 120_000);

  it('a viewer sends requests that nobody signed as fast as it can', async () => {
    const path = await addViewer('eve');
    const args = [fleet.servers[0] ?? '', path, adminSubject('peel.list', adminUserName('eve'))];
    await underAttack('unsigned requests of a viewer', FLOODER, ...args, '64', `${SECONDS}`);
  }, 120_000);

  it('a viewer sends signed requests that take a master long, of a fleet with 2,000 peels', async () => {
    for (let i = 0; i < 2_000; i += 100) {
      const peels = Array.from({ length: 100 }, (_, j) => `many-${i + j}`);
      await Promise.all(
        peels.map((peelId) => {
          const { publicKey } = generateKeyBundle('user');
          return admin.ask('peel.add', { requestId: newRequestId(), peelId, publicKey });
        }),
      );
    }
    const path = await addViewer('mallory');
    const file = join(fleet.home.dir, 'requests');
    const reads = [
      ['peel.list', {}],
      ['peel.show', { peelId: 'web-1', events: 200 }],
      ['audit', { kinds: ['k*'], last: 1_000_000 }],
      ['presence.watch', {}],
    ] as const;
    await writeSignedRequests(file, path, reads, 10_000);
    const args = [fleet.servers[0] ?? '', path, adminSubject('peel.list', adminUserName('mallory'))];
    await underAttack('signed requests of a viewer', FLOODER, ...args, file, `${SECONDS}`);
  }, 120_000);

  it('a peel answers a command with 8 MiB, which is an error of its own', async () => {
    const credsPath = await addCreds(fleet, admin, 'big-1');
    const handlers = { big: () => 'x'.repeat(8 * 1024 * 1024) };
    await TestPeel.start(fleet, credsPath, { handlers });
    const { paths } = await fleet.home.domain();
    const client = await connectFleet({ servers: fleet.servers, credentials: paths.adminCreds });
    atEnd(() => client.close());
    const answers: unknown[] = [];
    for await (const answer of client.peels.exec({ peelIds: 'big-1', handler: 'big' })) answers.push(answer);
    expect(answers).toHaveLength(1);
    process.stdout.write(`8 MiB: ${JSON.stringify(answers).slice(0, 300)}\n`);
    expect(JSON.stringify(answers)).not.toContain('xxxx');
  }, 60_000);
});
