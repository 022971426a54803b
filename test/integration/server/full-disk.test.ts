import { connect } from '@nats-io/transport-node';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeCredsFile } from '../../../src/creds/generate.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { createTrustDomain } from '../../../src/trust/create/create.js';
import { zester } from '../../cli/run-zester.js';
import { atEnd } from '../../support/cleanup.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { startZesterServer } from './zester-process.js';

const canMount = process.getuid?.() === 0 && process.platform === 'linux';

it.skipIf(!canMount)(
  'the server of a home writes again after its disk was full, and doctor names a JetStream that has stopped',
  { timeout: 60_000 },
  async () => {
    const domain = await createTrustDomain(join(await tempDir(), 'home'));
    const { serverJetStreamDirectory: store } = domain.paths;
    await mkdir(store, { recursive: true, mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0700', 'tmpfs', store], { stdio: 'pipe' });
    const unmount = atEnd(async () => void execFileSync('umount', [store]));
    const { zester: server, ready } = await startZesterServer(domain.home);
    const user = generateKeyBundle('user');
    const credsPath = join(domain.home, 'filler.creds');
    await writeCredsFile(
      credsPath,
      createUserJwt(user, await domain.accountKey(), { name: 'filler' }),
      user.seed,
    );
    const option = (await loadCredsFile(credsPath)).natsOption();
    const nc = await connect({ ...option, servers: ready.url, maxReconnectAttempts: -1 });
    await (await jetstreamManager(nc)).streams.add({ name: 'FILL', subjects: ['fill'], max_msgs: 10 });
    const publish = () => jetstream(nc).publish('fill', Buffer.alloc(1_000), { timeout: 1_000 });
    await publish();
    const ballast = join(store, 'ballast');
    await writeFile(ballast, Buffer.alloc(32 << 20)).catch(() => undefined);
    await waitFor('writes to fail', () =>
      publish().then(
        () => false,
        () => true,
      ),
    );
    // 2.10 tries again with each message; newer ones remember the failed write
    const hasStopped = server.stderr().includes('JetStream has stopped writing');
    const { stdout } = await zester(['doctor', '--home', domain.home, '--servers', ready.url]);
    expect(/error +storage .*JetStream has stopped writing/.test(stdout), stdout).toBe(hasStopped);
    await rm(ballast);
    await waitFor('the server to write again', () => publish().then(() => true), 30_000);
    expect(server.stderr().includes('before a restart')).toBe(hasStopped);
    await nc.close();
    server.kill('SIGTERM');
    await server.exited;
    await unmount();
  },
);
