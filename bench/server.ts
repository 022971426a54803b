import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCredsFile } from '../src/creds/generate.js';
import { createUserJwt } from '../src/jwt/user.js';
import { startNatsServer } from '../src/nats-server/run.js';
import { writeServerConfiguration } from '../src/nats-server/write-configuration.js';
import { generateKeyBundle } from '../src/nkeys/key-bundle.js';
import { createTrustDomain } from '../src/trust/create/create.js';

/** A real nats-server on a new trust domain, for one bench. */
export interface BenchServer {
  url: string;
  dir: string;
  /** A new credential of this name, which may do everything in the account. @returns its path */
  user(name: string, path?: string): Promise<string>;
  close(): Promise<void>;
}

export async function startBenchServer(): Promise<BenchServer> {
  const dir = await mkdtemp(join(tmpdir(), 'zester-bench-'));
  const domain = await createTrustDomain(join(dir, 'home'));
  const configPath = await writeServerConfiguration(domain, { port: -1 });
  const server = await startNatsServer({ configPath });
  const account = await domain.accountKey();
  let files = 0;
  return {
    url: server.url,
    dir,
    async user(name, path = join(dir, `${name}-${(files += 1)}.creds`)) {
      const key = generateKeyBundle('user');
      await writeCredsFile(path, createUserJwt(key, account, { name }), key.seed);
      return path;
    },
    async close() {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
