import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { sleep } from '../../../src/async/sleep.js';
import { connectFleet } from '../../../src/fleet-client/connect-fleet.js';
import type { AdminClient } from '../../../src/protocol/admin-client.js';
import type { AuditEvent } from '../../../src/protocol/records/audit-event.js';
import { adminUserName } from '../../../src/permissions/admin-names.js';
import { adminSubject, authSubject, enrollSubject } from '../../../src/permissions/names.js';
import { joinName } from '../../../src/permissions/roles.js';
import { contextOf } from '../../../src/master/context-of.js';
import { zester } from '../../cli/run-zester.js';
import { writeSignedRequests } from '../../security/signed-requests.js';
import { atEnd } from '../../support/cleanup.js';
import { waitFor } from '../../support/wait-for.js';
import { addPeel, connectUser, type BarePeel } from './asking.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds, tokenFile } from './peels.js';
import { childInput } from '../../support/child-input.js';

const FLOODER = fileURLToPath(new URL('flooder.mjs', import.meta.url));
/** The maximum duration of a flood, in seconds. It ends as soon as it has had its effect, which takes three cuts. */
const SECONDS = 30;
/** Maximum memory growth of the master while gigabytes come in, in bytes. */
const GROWTH = 512 * 1024 * 1024;

let fleet: Fleet;
let admin: AdminClient;
let victims: BarePeel[];

beforeAll(async () => {
  fleet = await startFleet({ policy: 'auto-trusted', lifetime: 900 });
  admin = await fleet.admin();
  victims = await Promise.all(['web-1', 'web-2', 'web-3'].map((id) => addPeel(fleet, admin, id)));
  for (const { peelId } of victims) await fleet.record(peelId, ({ state }) => state === 'active');
});

interface Flood {
  sent: number;
  /** Counts of its disconnects and refused connects. */
  cut: number;
  refused: number;
}

/**
 * Floods from another process with requests of a size or those of a file, while others renew and memory is measured.
 *
 * @param isDone whether the flood has had its effect: it ends after the next renewals
 * @returns the flooder's report
 */
async function flood(
  credsPath: string,
  subject: string,
  size: number | string,
  isDone: () => Promise<boolean>,
): Promise<Flood> {
  let isOver = false;
  let enough = (): void => undefined;
  const flooding = new Promise<Flood>((resolve, reject) => {
    const args = [FLOODER, fleet.servers[0] ?? '', credsPath, subject, `${size}`, `${SECONDS}`];
    const child = execFile(process.execPath, args, (error, stdout) => {
      isOver = true;
      if (error === null) resolve(JSON.parse(stdout) as Flood);
      else reject(error);
    });
    enough = () => void childInput(child).end();
    atEnd(() => Promise.resolve(child.kill('SIGKILL')));
  });
  const memory = process.memoryUsage().rss;
  let most = memory;
  const renew = async () => {
    // like a peel, and each within its timeout
    const jwts = await Promise.all(victims.map(async (victim) => (await victim.renewAgain()).jwt));
    for (const jwt of jwts) expect(jwt).toMatch(/^ey/);
    most = Math.max(most, process.memoryUsage().rss);
  };
  let done = false;
  const effect = (async () => {
    while (!isOver && !(await isDone())) await sleep(250);
    done = true;
  })();
  while (!done) {
    await renew();
    // as often as the rate of a peel allows
    await Promise.race([effect, sleep(1_000)]);
  }
  await effect;
  await renew();
  enough();
  expect(most - memory).toBeLessThan(GROWTH);
  return flooding;
}

describe('a peel that floods is reported and cut, and the others renew', () => {
  it.each([
    ['large', 128 * 1024],
    ['small', 1_024],
  ])('with %s requests', async (what, size) => {
    const peelId = `flooder-${what}`;
    const path = await addCreds(fleet, admin, peelId);
    const isCut = (event: AuditEvent) =>
      event.kind === 'connection.refused' && event.peelId === peelId && event.code === 'ERR_FLEET_RATE';
    const { cut } = await flood(path, authSubject(peelId, 'renew'), size, async () =>
      (await fleet.audit()).some(isCut),
    );
    const event = await fleet.audited('connection.refused', isCut);
    expect(event.detail?.['cut']).toBe(1);
    expect(cut).toBeGreaterThan(0);
    // it is cut and not revoked: a faulty peel comes back once it is fixed
    expect(contextOf(fleet.master).registry.get(peelId)?.state).toBe('active');
    const cuts = (await fleet.audit()).filter(({ kind, code }) => kind === 'connection.refused' && code);
    expect(cuts.every(({ peelId }) => peelId?.startsWith('flooder-'))).toBe(true);
  });
});

it('a join token that floods is cut, and removed if it continues', async () => {
  const path = await tokenFile(fleet, admin);
  const tokenId = /token-(\w+)\.creds$/.exec(path)?.[1] ?? '';
  const isTaken = ({ kind, detail }: AuditEvent) => kind === 'token.removed' && detail?.['token'] === tokenId;
  await flood(path, enrollSubject(joinName(tokenId), 'challenge'), 1_024, async () =>
    (await fleet.audit()).some(isTaken),
  );
  await fleet.audited(
    'connection.refused',
    ({ code, detail }) => code === 'ERR_FLEET_RATE' && detail?.['token'] === tokenId,
  );
  const removed = await fleet.audited('token.removed', isTaken);
  expect(removed).toMatchObject({
    by: { kind: 'master' },
    reason: expect.stringContaining('floods') as string,
  });
});

describe('an admin that floods', () => {
  const addAdmin = async (name: string): Promise<string> => {
    const out = join(fleet.home.dir, `${name}.admin.creds`);
    const at = ['--home', fleet.home.home, '--servers', ...fleet.servers];
    const added = await zester(['admin', 'add', name, '--role', 'viewer', '--out', out, ...at]);
    expect(added.code, added.stderr).toBe(0);
    return out;
  };
  /** An admin that stops flooding is answered as before. */
  const asksAgain = async (path: string) => {
    const client = await connectFleet({ ...fleet.connection, credentials: path });
    atEnd(() => client.close());
    // the master first refuses what is left of the flood, tens of thousands of messages on a loaded machine
    await waitFor(
      'the viewer to be answered',
      () =>
        client.status({ signal: AbortSignal.timeout(2_000) }).then(
          () => true,
          () => false,
        ),
      40_000,
    );
  };

  it('with unsigned requests is reported and cut, and peels renew', async () => {
    const path = await addAdmin('eve');
    const isCut = ({ kind, code, detail }: AuditEvent) =>
      kind === 'connection.refused' && code === 'ERR_FLEET_RATE' && detail?.['admin'] === 'eve';
    const subject = adminSubject('peel.list', adminUserName('eve'));
    const { cut } = await flood(path, subject, 1_024, async () => (await fleet.audit()).some(isCut));
    const event = await fleet.audited('connection.refused', isCut);
    expect(event.detail?.['cut']).toBe(1);
    expect(cut).toBeGreaterThan(0);
    await asksAgain(path);
  });

  it('with signed list, show and audit requests is refused above its rate, and peels renew', async () => {
    const path = await addAdmin('mallory');
    const file = join(fleet.home.dir, 'requests');
    const reads = [
      ['peel.list', {}],
      ['peel.show', { peelId: 'web-1', events: 200 }],
      ['audit', { kinds: ['k*'], last: 1_000_000 }],
      ['presence.watch', {}],
    ] as const;
    await writeSignedRequests(file, path, reads, 4_000);
    const isRefused = ({ kind, code, by }: AuditEvent) =>
      kind === 'request.refused' && code === 'ERR_FLEET_RATE' && by.name === 'mallory';
    const subject = adminSubject('peel.list', adminUserName('mallory'));
    const { sent } = await flood(path, subject, file, async () => (await fleet.audit()).some(isRefused));
    expect(sent).toBeGreaterThanOrEqual(4_000);
    await fleet.audited('request.refused', isRefused);
    await asksAgain(path);
  });
});

it('a flood in the name of a peel does not cut that peel', async () => {
  const [victim] = victims;
  if (victim === undefined) throw new Error('there is a victim');
  // a user with full permissions, which only the account's key can sign
  const all = await connectUser(fleet, 'tool', undefined);
  let isOver = false;
  const sending = (async () => {
    while (!isOver) {
      for (let i = 0; i < 500; i += 1) all.publish(authSubject(victim.peelId, 'renew'), 'x');
      await all.flush();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  await waitFor('the refusal in the audit log', async () =>
    (await fleet.audit()).find(
      ({ kind, peelId, code, detail }) =>
        kind === 'request.refused' &&
        peelId === victim.peelId &&
        code === 'ERR_FLEET_RATE' &&
        detail?.['cut'] === 0,
    ),
  );
  isOver = true;
  await sending;
  expect(victim.nc.isClosed()).toBe(false);
  expect(victim.nc.stats().outMsgs).toBeGreaterThan(0);
  expect(contextOf(fleet.master).registry.get(victim.peelId)?.state).toBe('active');
  const cut = (await fleet.audit()).filter(
    ({ kind, peelId }) => kind === 'connection.refused' && peelId === victim.peelId,
  );
  expect(cut).toEqual([]);
});
