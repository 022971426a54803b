import { connect } from '@nats-io/transport-node';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectPeel } from '../../../src/connection/connect.js';
import type { ConnectionEvent } from '../../../src/connection/events.js';
import type { CredsFile } from '../../../src/creds/creds-file.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { examine } from '../../../src/doctor/examine.js';
import { migrate, planMigration } from '../../../src/account/migrate.js';
import { exportIdentity } from '../../../src/trust/keys/export-identity.js';
import { zester } from '../../cli/run-zester.js';
import { atEnd } from '../../support/cleanup.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';
import { withResponses } from '../../trust/older-home.js';
import { snapshot, startHome } from './support.js';

const connectElsewhere = (creds: CredsFile, servers: string[]) =>
  connect({ servers, ...creds.natsOption(), reconnect: false });

describe('the migration of a home whose peels have responses', () => {
  it('is planned without changing anything', async () => {
    const fleet = await startHome({ prepare: withResponses, credsLifetime: 0 });
    const before = await snapshot(fleet.home);
    const plan = await planMigration(fleet.home, fleet.options);
    expect(plan).toMatchObject({
      templates: [{ role: 'peel' }],
      outdated: [{ name: 'zester-master' }, { name: 'zester-admin' }],
      connected: [],
      unsafe: [],
      lost: [],
      hasRegistry: false,
    });
    const dry = await zester(['permissions', 'migrate', '--dry-run', '--home', fleet.home]);
    expect(dry.code, dry.stderr).toBe(4); // its servers are not where the home says
    expect(await snapshot(fleet.home)).toEqual(before);
  });

  it('keeps added grants in the template', async () => {
    const fleet = await startHome({ prepare: withResponses, credsLifetime: 0 });
    await migrate(fleet.home, fleet.options);
    const { accountClaims, publicKeys } = await fleet.domain();
    const key = accountClaims.nats.signing_keys?.find(
      (one) => typeof one !== 'string' && one.key === publicKeys.peelSigning,
    );
    expect(key).toMatchObject({
      template: {
        payload: 131_072,
        subs: 256,
        allowed_connection_types: ['STANDARD', 'WEBSOCKET'],
      },
    });
    const { pub, resp } = typeof key === 'object' ? key.template : {};
    expect(resp).toBeUndefined();
    expect(pub?.allow).toContain('plant.{{name()}}.>');
    expect(pub?.allow).not.toContain('_INBOX.{{name()}}.>');
  });

  it('ends the JWTs that the home’s own users had', async () => {
    const fleet = await startHome({ prepare: withResponses, credsLifetime: 0 });
    const { paths } = await fleet.domain();
    const stolen = (await loadCredsFile(paths.masterCreds)).jwt;
    await migrate(fleet.home, fleet.options);
    const { accountClaims } = await fleet.domain();
    const { claims, jwt } = await loadCredsFile(paths.masterCreds);
    expect(jwt).not.toBe(stolen);
    const revokedUpTo = accountClaims.nats.revocations?.[claims.sub] ?? 0;
    expect(revokedUpTo).toBeLessThan(claims.iat);
    expect(revokedUpTo).toBeGreaterThan(0);
    expect((await examine(fleet.home, { servers: fleet.servers })).server).toContainEqual(
      expect.objectContaining({ check: 'master', severity: 'ok' }),
    );
  });

  it('names the steps that need the offline identity seed, and exits with 1', async () => {
    const fleet = await startHome({ prepare: withResponses, credsLifetime: 0 });
    const usb = join(fleet.dir, 'usb');
    await mkdir(usb, { mode: 0o700 });
    await exportIdentity(fleet.home, usb);
    const args = ['permissions', 'migrate', '--home', fleet.home, '--servers', ...fleet.servers, '--yes'];
    const first = await zester([...args, '--json']);
    expect(first.code).toBe(1);
    const { paths } = await fleet.domain();
    expect(JSON.parse(first.stdout)).toMatchObject({
      templates: [{ role: 'peel' }],
      credentials: [],
      remaining: [{ what: paths.masterCreds }, { what: paths.adminCreds }],
    });

    const wrong = await zester([...args, '--account-seed', join(usb, 'operator.seed')]);
    expect(wrong.code).not.toBe(0);
    const second = await zester([...args, '--account-seed', join(usb, 'account.seed'), '--json']);
    expect(second.code, second.stderr).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({
      templates: [],
      credentials: [{ path: paths.masterCreds }, { path: paths.adminCreds }],
      remaining: [],
    });
  });

  it('does not revoke a JWT in use', async () => {
    const fleet = await startHome({ prepare: withResponses, credsLifetime: 0 });
    const { paths } = await fleet.domain();
    // a master on another host, with a copy of the home
    const path = join(fleet.dir, 'copy.creds');
    await copyFile(paths.masterCreds, path);
    const copy = await loadCredsFile(path);
    const nc = await connectElsewhere(copy, fleet.servers);
    const first = await migrate(fleet.home, { ...fleet.options, masterWaitMs: 500 });
    expect(first.stillUsed).toEqual([copy.publicKey]);
    expect(nc.isClosed()).toBe(false);
    await nc.flush();
    await nc.close();
    const second = await migrate(fleet.home, fleet.options);
    expect(second.stillUsed).toEqual([]);
    await expect(connectElsewhere(copy, fleet.servers)).rejects.toThrow(/authorization/i);
  });

  it('reports a message that was kept during an outage and is larger than the new limit', async () => {
    const fleet = await startHome({ prepare: withResponses, credsLifetime: 0 });
    const proxy = await TcpProxy.start(() => fleet.node(0).port);
    atEnd(() => proxy.close());
    const events: ConnectionEvent[] = [];
    const nc = await connectPeel({
      servers: proxy.url,
      credsPath: (await fleet.issue('web-01')).path,
      peelId: 'web-01',
      reconnectTimeWait: 50,
      reconnectJitter: 0,
      onEvent: (event) => void events.push(event),
    });
    atEnd(() => nc.close());
    proxy.refuse(true);
    proxy.cut();
    await waitFor('the outage', () => events.some(({ type }) => type === 'buffering'));
    nc.publish('zester.event.web-01.large', new Uint8Array(200_000));
    nc.publish('zester.event.web-01.small', 'hello');
    await migrate(fleet.home, fleet.options);
    proxy.refuse(false);
    await waitFor('the buffered messages to be sent', () => events.some(({ type }) => type === 'bufferSent'));
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'messageRefused', subject: 'zester.event.web-01.large' }),
    );
    expect(events.filter(({ type }) => type === 'messageRefused')).toHaveLength(1);
    await nc.flush();
  });
});

describe('the doctor’s findings about a home whose peels have responses', () => {
  it('names the template and the credentials, and the command that fixes them', async () => {
    const fleet = await startHome({ prepare: withResponses, credsLifetime: 0 });
    const { home } = await examine(fleet.home, { offline: true });
    const found = home.filter(({ check }) => check === 'migration');
    expect(found.map(({ severity }) => severity)).toEqual(['error', 'warning', 'warning']);
    for (const { fix } of found) expect(fix).toContain('zester permissions migrate');
    await migrate(fleet.home, fleet.options);
    const after = (await examine(fleet.home, { offline: true })).home;
    expect(after.filter(({ check, severity }) => check === 'migration' && severity !== 'ok')).toEqual([]);
  });
});
