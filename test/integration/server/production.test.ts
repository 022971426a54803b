import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findNatsServer } from '../../../src/nats-server/find.js';
import { freePort } from '../../support/free-port.js';
import { SEED } from '../../support/refusal.js';
import { noCluster } from '../../support/nats-servers.js';
import { isBuilt } from '../../support/zester-command.js';

const script = fileURLToPath(new URL('../../../examples/production.sh', import.meta.url));

/** Runs the script, with other ports if one was taken in the meantime. */
async function production(attempt = 1): Promise<string> {
  try {
    return await runScript();
  } catch (error) {
    if (attempt === 3 || !String(error).includes('address already in use')) throw error;
    return production(attempt + 1);
  }
}

/** On failure, the error includes the output. */
async function runScript(): Promise<string> {
  const env = {
    ...process.env,
    ...(!isBuilt && { FROM_SOURCE: '1' }),
    PORT: String(await freePort()),
    // the tested server, if the first on the PATH is older
    ZESTER_NATS_SERVER: await findNatsServer(),
  };
  return new Promise((resolve, reject) => {
    execFile('bash', [script], { env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stdout}\n${stderr}`));
    });
  });
}

describe('docs/production.md', () => {
  it(
    'works as a new user would try it, on a cluster of three servers',
    { timeout: 240_000 },
    async ({ skip }) => {
      if (noCluster) return skip('this nats-server is too old for a cluster of a fleet');
      if (spawnSync('openssl', ['version']).status !== 0)
        return skip('there is no openssl, to make certificates with');
      const out = await production();
      expect(out).toContain('in force on n1, n2, n3');
      expect(out).toContain('0 errors, 0 warnings');
      expect(out).toMatch(/web-server-01 is connected/);
      expect(out).toMatch(/refused the credentials/);
      expect(out).toContain('n3: belongs to the cluster but does not answer');
      expect(out.trimEnd().endsWith('== done')).toBe(true);
      expect(out).not.toMatch(SEED);
    },
  );
});
