// A home and a running fleet of the commit before peels lost `responses`, upgraded as in docs/upgrading.md.
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { createPrivateKey } from 'node:crypto';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectPeel } from '../../../src/connection/connect.js';
import type { ConnectionEvent } from '../../../src/connection/events.js';
import { bootstrapPeelCreds } from '../../../src/creds/bootstrap.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { decodeUserJwt } from '../../../src/jwt/decode.js';
import { openTrustDomain } from '../../../src/trust/open.js';
import { zester } from '../../cli/run-zester.js';
import { atEnd } from '../../support/cleanup.js';
import { watchCuts } from '../../support/cuts.js';
import { freePort } from '../../support/free-port.js';
import { olderNatsServer } from '../../support/nats-servers.js';
import { OlderZester } from '../../support/older-zester.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { startZester } from '../server/zester-process.js';

/** The last commit whose peels have `responses`. */
const BEFORE = '2db0df9';
// it gives node:crypto private keys without their public part, which newer versions of Node.js refuse
const older = takesKeysWithoutPublicPart() ? await OlderZester.at(BEFORE) : undefined;
// with 2.11 and newer, that commit revokes healthy peels
const olderServer = await olderNatsServer('2.11.0');
if (older === undefined)
  process.stderr.write(
    `skipped: the commit ${BEFORE} is not in this clone, or does not run on this Node.js\n`,
  );
if (olderServer === undefined) process.stderr.write('skipped: there is no nats-server before 2.11 here\n');

function takesKeysWithoutPublicPart(): boolean {
  const d = Buffer.alloc(32, 1).toString('base64url');
  try {
    createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x: '' }, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}

/** Exploits `responses`: a peel can publish to any reply subject of a request to itself. */
async function publishesAnywhere(credsPath: string, servers: string, subject: string): Promise<boolean> {
  const { claims } = await loadCredsFile(credsPath);
  const inbox = `_INBOX.${claims.name ?? ''}`;
  const nc: NatsConnection = await connect({
    servers,
    ...(await loadCredsFile(credsPath)).natsOption(),
    inboxPrefix: inbox,
    reconnect: false,
  });
  const refused: string[] = [];
  void (async () => {
    for await (const status of nc.status()) if (status.type === 'error') refused.push(String(status.error));
  })();
  const subscription = nc.subscribe(`${inbox}.self.>`, { callback: () => undefined });
  nc.publish(`${inbox}.self.x`, '', { reply: subject });
  await nc.flush();
  nc.publish(subject, 'forged');
  await nc.flush();
  subscription.unsubscribe();
  // refusals are reported before the answer to the flush
  await nc.close();
  return !refused.some((text) => text.includes(subject));
}

describe.skipIf(older === undefined || olderServer === undefined)(
  'the upgrade of a fleet whose peels have responses',
  { timeout: 180_000 },
  () => {
    let dir: string;
    let home: string;
    let servers: string;
    let env: Record<string, string>;
    let migrated: {
      code: number;
      document: Record<string, unknown> & { remaining: unknown[] };
      stderr: string;
    };
    const creds = (id: string) => join(dir, `${id}.creds`);
    const allAnswer = async () => {
      for (const id of ['web-01', 'web-02', 'legacy-01']) {
        if ((await zester(['ping', id, '--json'], { env })).code !== 0) return false;
      }
      return true;
    };
    let scoped: { cuts: () => number; events: ConnectionEvent[] };

    beforeAll(async () => {
      if (older === undefined || olderServer === undefined) return;
      dir = await tempDir();
      home = join(dir, 'home');
      const port = await freePort();
      servers = `nats://127.0.0.1:${port}`;
      env = { ZESTER_HOME: home, ZESTER_SERVERS: servers, XDG_STATE_HOME: join(dir, 'state') };
      const before = older.start(['up', '--port', String(port)], {
        ...env,
        ZESTER_NATS_SERVER: olderServer,
      });
      await waitFor('the older fleet', () => /^ready/m.test(before.output()), 60_000);
      await older.run(['peel', 'add', 'web-01', 'web-02', 'web-03', '--out', dir], env);
      // one whose JWT carries its own permissions, those of that version
      const domain = await openTrustDomain(home);
      const account = await domain.accountKey();
      await bootstrapPeelCreds(account, 'legacy-01', creds('legacy-01'), {
        expiry: 86_400,
        permissions: {
          replace: {
            publish: {
              allow: [
                'zester.event.legacy-01.>',
                'zester.job.*.ack.legacy-01',
                'zester.job.*.return.legacy-01',
                'zester.auth.legacy-01.>',
                '_INBOX.legacy-01.>',
              ],
            },
            subscribe: { allow: ['zester.cmd.legacy-01', 'zester.cmd.legacy-01.>', '_INBOX.legacy-01.>'] },
            responses: { max: 1, ttl: 300 },
          },
        },
      });
      account.wipe();
      await copyFile(creds('legacy-01'), creds('stolen-legacy'));
      for (const id of ['web-01', 'web-02', 'legacy-01'])
        older.start(['peel', 'run', '--creds', creds(id)], env);
      await waitFor('the older peels', async () => {
        const list = await zester(['peel', 'list', '--json'], { env });
        if (list.code !== 0) return false;
        const { peels } = JSON.parse(list.stdout) as { peels: { id: string; connected: boolean }[] };
        return ['web-01', 'web-02', 'legacy-01'].every(
          (id) => peels.find((peel) => peel.id === id)?.connected,
        );
      });
      await older.run(['peel', 'accept', 'legacy-01'], env);
      // the hole is there before
      expect(await publishesAnywhere(creds('web-01'), servers, 'zester.cmd.web-02')).toBe(true);
      expect(await publishesAnywhere(creds('stolen-legacy'), servers, 'zester.cmd.web-02')).toBe(true);

      before.kill('SIGTERM');
      await before.exited;
      const now = startZester(['up', '--port', String(port)], env);
      await waitFor('the upgraded master', () => /^ready/m.test(now.stdout()), 60_000);
      const events: ConnectionEvent[] = [];
      const nc = await connectPeel({
        servers,
        credsPath: creds('web-03'),
        peelId: 'web-03',
        onEvent: (event) => void events.push(event),
      });
      atEnd(() => nc.close());
      scoped = { ...watchCuts(nc), events };
      await waitFor('all peels to be back', allAnswer, 60_000);
      const { code, stdout, stderr } = await zester(['permissions', 'migrate', '--yes', '--json'], { env });
      migrated = { code, stderr, document: JSON.parse(stdout === '' ? '{}' : stdout) as never };
    }, 180_000);

    it('migrates everything with one command, and reports that nothing is left', () => {
      expect(migrated, migrated.stderr).toMatchObject({
        code: 0,
        document: {
          templates: [{ role: 'peel' }, { role: 'join' }],
          // `zester up` has made master-answers.creds already
          credentials: [{ name: 'zester-master' }, { name: 'zester-admin' }],
          peels: [{ peelId: 'legacy-01', outcome: 'reissued' }],
          remaining: [],
        },
      });
    });

    it('costs a scoped peel one reconnect', () => {
      expect(scoped.cuts()).toBe(1);
    });

    it('refuses the attack afterwards', async () => {
      expect(await publishesAnywhere(creds('web-01'), servers, 'zester.cmd.web-02')).toBe(false);
      expect(await publishesAnywhere(creds('legacy-01'), servers, 'zester.cmd.web-02')).toBe(false);
    });

    it('refuses the JWT that carried responses', async () => {
      const stolen = (await loadCredsFile(creds('stolen-legacy'))).natsOption();
      await expect(connect({ servers, ...stolen, reconnect: false })).rejects.toThrow(/authorization/i);
    });

    it('gives the peel with an explicit JWT a scoped one', async () => {
      const { claims } = await loadCredsFile(creds('legacy-01'));
      expect(claims.nats).not.toHaveProperty('resp');
      expect(claims.nats).not.toHaveProperty('pub');
    });

    it('leaves peels of the older version working', async () => {
      expect(await allAnswer()).toBe(true);
    });

    it('has nothing to do when it is run again', async () => {
      const again = await zester(['permissions', 'migrate', '--yes', '--json'], { env });
      expect(again.code, again.stderr).toBe(0);
      expect(JSON.parse(again.stdout)).toMatchObject({ templates: [], credentials: [], remaining: [] });
    });

    it('keeps the keys of the master and the admin, under new JWTs', async () => {
      const { paths } = await openTrustDomain(home);
      for (const path of [paths.masterCreds, paths.adminCreds]) {
        const text = await readFile(path, 'latin1');
        const [, jwt = ''] = /JWT-+\n([\w.-]+)\n/.exec(text) ?? [];
        expect(decodeUserJwt(jwt).nats.allowed_connection_types).toEqual(['STANDARD', 'WEBSOCKET']);
      }
    });
  },
);
