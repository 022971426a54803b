// What a thief of a peel's file, a join token, an operator signing key or the owner's file gains, and how to detect and
// stop it.
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeCredsFile } from '../../src/creds/generate.js';
import { loadCredsFile } from '../../src/creds/parse.js';
import { createAccountJwt } from '../../src/jwt/account.js';
import { resignAccountJwt } from '../../src/jwt/resign.js';
import { createUserJwt } from '../../src/jwt/user.js';
import { generateKeyBundle, loadKeyBundle } from '../../src/nkeys/key-bundle.js';
import { connectSystem } from '../../src/system-account/system-connection.js';
import type { AdminClient } from '../../src/protocol/admin-client.js';
import { REPLACED_REVOKED_TIMEOUT_MS } from '../../src/timing.js';
import { zester } from '../cli/run-zester.js';
import { BarePeel, createToken } from '../integration/fleet/asking.js';
import type { Fleet } from '../integration/fleet/fleet.js';
import { startFleet } from '../integration/fleet/fleet.js';
import { addCreds, TestPeel } from '../integration/fleet/peels.js';
import { letsIn } from '../integration/fleet/lets-in.js';
import { startHome } from '../integration/trust/support.js';
import { atEnd } from '../support/cleanup.js';
import { waitFor } from '../support/wait-for.js';

let fleet: Fleet;
let admin: AdminClient;
beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 900 });
  admin = await fleet.admin();
});

const at = (of: Fleet = fleet) => ['--home', of.home.home, '--servers', ...of.servers];

async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await zester([...args, '--json', ...at()]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

async function connectWith(path: string): Promise<NatsConnection> {
  const creds = await loadCredsFile(path);
  const nc = await connect({ servers: fleet.servers, ...creds.natsOption(), reconnect: false });
  atEnd(() => nc.close());
  return nc;
}

describe("a copy of a peel's file", () => {
  it('shows as a second connection with its address, until it is revoked', async () => {
    const path = await addCreds(fleet, admin, 'web-01');
    await TestPeel.start(fleet, path);
    const thief = await connectWith(path);
    const shown = await waitFor('both connections', async () => {
      const { connections } = await json<{ connections: { host: string }[] }>('peel', 'show', 'web-01');
      return connections.length === 2 && connections;
    });
    expect(shown.map(({ host }) => host)).toEqual(['127.0.0.1', '127.0.0.1']);
    const revoked = await zester(['peel', 'revoke', 'web-01', '--reason', 'stolen', '--yes', ...at()]);
    expect(revoked.code, revoked.stderr).toBe(0);
    await thief.closed();
    expect(await letsIn(path, fleet.servers[0] ?? '')).toBe(false);
  });

  it('that rotates the key locks out the host: its agent reports this, and the audit log has the address of the thief', async () => {
    const path = await addCreds(fleet, admin, 'web-02');
    const host = await TestPeel.start(fleet, path);
    await fleet.record('web-02', ({ state }) => state === 'active');
    const { jwt, publicKey, seed } = await loadCredsFile(path);
    const thief = await BarePeel.connect(fleet, 'web-02', loadKeyBundle('user', seed), jwt);
    const fresh = generateKeyBundle('user');
    const { jwt: stolen } = await thief.rotate(thief.rotateRequest(fresh));
    await BarePeel.connect(fleet, 'web-02', fresh, stolen);
    await waitFor(
      'the key of the host to be revoked',
      async () => {
        const { record } = await admin.ask('peel.show', { peelId: 'web-02' });
        return record.keys.some((one) => one.publicKey === publicKey && one.state === 'revoked');
      },
      REPLACED_REVOKED_TIMEOUT_MS,
    );
    const event = await waitFor('the agent of the host to report it', () =>
      host.events.find(({ type }) => type === 'ended' || type === 'refused'),
    );
    process.stdout.write(
      `the agent of a host whose key a thief has rotated reports: ${JSON.stringify(event)}\n`,
    );
    const { stdout } = await zester(['audit', 'web-02', '--json', ...at()]);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; from?: string });
    expect(events.find(({ kind }) => kind === 'key.rotated')?.from).toContain('127.0.0.1');
  });
});

it('uses of a join token that are not yours are listed, and the audit names the token', async () => {
  const token = await createToken(admin, fleet, { uses: 3 });
  await token.join('db-01', generateKeyBundle('user'));
  await admin.ask('peel.accept', { peelId: 'db-01' });
  const { tokens } = await json<{ tokens: { id: string }[] }>('join-token', 'list');
  expect(tokens.find(({ id }) => id === token.tokenId)).toMatchObject({ used: 1 });
  const requested = await fleet.audited('peel.requested', ({ peelId }) => peelId === 'db-01');
  expect(JSON.stringify(requested)).toContain(token.tokenId);
});

describe('an operator signing key', () => {
  it('admits nobody by itself', async () => {
    const domain = await fleet.home.domain();
    const operator = await domain.operatorSigningKey();
    const account = generateKeyBundle('account');
    // its own account, which no server has
    expect(createAccountJwt(account, operator, { name: 'thief' })).toMatch(/^ey/);
    const user = generateKeyBundle('user');
    const path = join(fleet.home.dir, 'thief.creds');
    await writeCredsFile(path, createUserJwt(user, account, { name: 'thief' }), user.seed);
    expect(await letsIn(path, fleet.servers[0] ?? '')).toBe(false);
  });

  it('can add a key with a user of the system account, which stays, and is listed', async () => {
    const domain = await fleet.home.domain();
    const operator = await domain.operatorSigningKey();
    const added = generateKeyBundle('account').publicKey;
    const jwt = resignAccountJwt(domain.accountJwt, operator, (claims) => ({
      ...claims,
      nats: { ...claims.nats, signing_keys: [...(claims.nats.signing_keys ?? []), added] },
    }));
    const system = await connectSystem(domain, { servers: fleet.servers });
    atEnd(() => system.close());
    await system.request('$SYS.REQ.CLAIMS.UPDATE', jwt, { timeout: 3_000 });
    await waitFor('it to be listed', async () => {
      const listed = await zester(['keys', 'list', '--json', ...at()]);
      return listed.stdout.includes(added);
    });
  });
});

it('the file of the owner is revoked by "zester revoke --creds"', async () => {
  const other = await startFleet();
  const { paths } = await other.home.domain();
  expect(await letsIn(paths.adminCreds, other.servers[0] ?? '')).toBe(true);
  const revoked = await zester(['revoke', '--creds', paths.adminCreds, '--yes', ...at(other)]);
  expect(revoked.code, revoked.stderr).toBe(0);
  expect(await letsIn(paths.adminCreds, other.servers[0] ?? '')).toBe(false);
});

it('while no master runs, servers refuse revoked and expired credentials, and new ones are not judged', async () => {
  const home = await startHome();
  const [gone, fresh] = [await home.issue('web-01'), await home.issue('web-02')];
  const short = await home.issue('web-03', 1);
  const [url = ''] = home.servers;
  const revoked = await zester(['revoke', 'web-01', '--yes', '--home', home.home, '--servers', url]);
  expect(revoked.code, revoked.stderr).toBe(0);
  await waitFor('it to expire', async () => !(await home.letsIn(short.path, 'web-03', url)));
  expect(await home.letsIn(gone.path, 'web-01', url)).toBe(false);
  expect(await home.letsIn(fresh.path, 'web-02', url)).toBe(true);
});
