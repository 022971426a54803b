import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { freePort } from '../../support/free-port.js';
import { SEED } from '../../support/refusal.js';
import { isBuilt } from '../../support/zester-command.js';

const script = fileURLToPath(new URL('../../../examples/restore-drill.sh', import.meta.url));

it(
  'examples/restore-drill.sh: all peels are back after every disk was deleted',
  { timeout: 240_000 },
  async () => {
    const source = isBuilt ? {} : { FROM_SOURCE: '1' };
    const env = { ...process.env, ...source, PORT: String(await freePort()) };
    const out = await new Promise<string>((resolve, reject) => {
      execFile('bash', [script, '2'], { env }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${error.message}\n${stdout}\n${stderr}`));
      });
    });
    expect(out).toContain('peels: 3 restored');
    expect(out.trimEnd().endsWith('== done')).toBe(true);
    expect(out).not.toMatch(SEED);
  },
);
