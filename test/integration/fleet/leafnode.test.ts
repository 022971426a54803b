import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bootstrapPeelCreds } from '../../../src/creds/bootstrap.js';
import { writeCredsFile } from '../../../src/creds/generate.js';
import type { AdminClient } from '../../../src/protocol/admin-client.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { changeAccount, withOpenHome } from '../../../src/account/change-account.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { peelPermissions } from '../../../src/permissions/roles.js';
import { zester } from '../../cli/run-zester.js';
import { freePort } from '../../support/free-port.js';
import { connectLeafnode } from '../../support/raw-leafnode.js';
import { startHome } from '../trust/support.js';
import { Fleet } from './fleet.js';
import { addCreds, tokenFile } from './peels.js';

let fleet: Fleet;
let admin: AdminClient;
let port: number;

beforeAll(async () => {
  const home = await startHome();
  const server = home.node(0);
  await server.stop();
  port = await freePort();
  await appendFile(server.configPath, `\nleafnodes { listen: "127.0.0.1:${port}" }\n`);
  await server.start();
  fleet = new Fleet(home);
  await fleet.startMaster();
  admin = await fleet.admin();
});

/** Credentials of a user with all connection types, as in JWTs of older versions. */
async function legacyCreds(name: string): Promise<string> {
  const signer = await (await fleet.home.domain()).accountKey();
  const user = generateKeyBundle('user');
  const path = join(fleet.home.dir, `legacy-${name}.creds`);
  await writeCredsFile(
    path,
    createUserJwt(user, signer, { name, permissions: peelPermissions(name) }),
    user.seed,
  );
  return path;
}

describe('a leafnode port of the server', () => {
  it('admits no credential of the fleet', async () => {
    const domain = await fleet.home.domain();
    const explicit = join(fleet.home.dir, 'explicit.creds');
    await bootstrapPeelCreds(await domain.accountKey(), 'explicit', explicit);
    const { paths } = domain;
    const creds = {
      'a scoped peel': await addCreds(fleet, admin, 'scoped'),
      'a peel with permissions in its JWT': explicit,
      'a join token': await tokenFile(fleet, admin),
      'the admin': paths.adminCreds,
      'the master': paths.masterCreds,
      'the user that masters answer as': paths.masterAnswersCreds,
    };
    for (const [who, path] of Object.entries(creds)) {
      const leafnode = await connectLeafnode(port, path);
      expect(leafnode.isIn, who).toBe(false);
      expect(leafnode.errors.join(), who).toContain('Authorization Violation');
      await leafnode.closed;
    }
  });

  it('is closed by the master to a peel’s JWT of an older version, and audited', async () => {
    const path = await legacyCreds('web-09');
    const leafnode = await connectLeafnode(port, path);
    expect(leafnode.isIn).toBe(true);
    await leafnode.closed;
    const event = await fleet.audited('connection.refused', ({ peelId }) => peelId === 'web-09');
    expect(event.code).toBe('ERR_FLEET_LEAFNODE');
    // and it does not come back
    const again = await connectLeafnode(port, path);
    expect(again.isIn).toBe(false);
  });

  it('is reported by doctor, as an error if templates allow leafnodes; masters cut leafnodes', async () => {
    const { home } = fleet.home;
    const look = async () => {
      const { stdout } = await zester(['doctor', '--home', home, '--servers', ...fleet.servers, '--json']);
      const { findings } = JSON.parse(stdout) as { findings: { check: string; severity: string }[] };
      return findings.filter(({ check }) => check === 'leafnode').map(({ severity }) => severity);
    };
    expect(await look()).toEqual(['ok']);
    // like templates of older versions
    await withOpenHome(home, 'a test', fleet.home.options, (open) =>
      changeAccount(open, (claims) => {
        const changed = structuredClone(claims);
        for (const key of changed.nats.signing_keys ?? []) {
          if (typeof key !== 'string') delete key.template.allowed_connection_types;
        }
        return changed;
      }),
    );
    expect(await look()).toEqual(['error']);
    for (const path of [await addCreds(fleet, admin, 'web-10'), await tokenFile(fleet, admin)]) {
      const { publicKey } = await loadCredsFile(path);
      const leafnode = await connectLeafnode(port, path);
      expect(leafnode.isIn).toBe(true);
      await leafnode.closed;
      const event = await fleet.audited('connection.refused', (e) => e.publicKey === publicKey);
      expect(event.code).toBe('ERR_FLEET_LEAFNODE');
    }
  });
});
