import { readFile, writeFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { createTrustDomain } from '../../src/trust/create/create.js';
import { openTrustDomain } from '../../src/trust/open.js';
import { tempDir } from '../support/temp-dir.js';

it('a password in a URL of the home appears in no dump of the domain', async () => {
  const { home, paths } = await createTrustDomain(await tempDir(), { servers: ['nats://127.0.0.1:4222'] });
  const settings = await readFile(paths.settings, 'utf8');
  await writeFile(paths.settings, settings.replace('nats://', 'nats://me:hunter2secret@'), { mode: 0o600 });
  const domain = await openTrustDomain(home);
  expect(domain.settings.servers?.[0]).toContain('hunter2secret'); // it is written back as it is
  for (const shown of [
    inspect(domain, { depth: 10, showHidden: true }),
    inspect(domain, { depth: 10, customInspect: false }),
    JSON.stringify(domain),
    JSON.stringify({ ...domain }),
  ]) {
    expect(shown).not.toContain('hunter2secret');
  }
});
