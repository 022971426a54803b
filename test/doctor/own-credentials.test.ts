import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { checkHome } from '../../src/doctor/check-home.js';
import { createTrustDomain } from '../../src/trust/create/create.js';
import { tempDir } from '../support/temp-dir.js';

const DAY = 86_400_000;

/** Doctor's findings about a home in this many days. */
async function problems(home: string, days = 0) {
  const { findings } = await checkHome(home, { now: () => Date.now() + days * DAY });
  return findings.filter(({ severity }) => severity !== 'ok');
}

describe("doctor's findings about the credentials of a new home", () => {
  it('are none before they should have been renewed, then a warning of each, and an error once they have expired', async () => {
    const { home, paths } = await createTrustDomain(await tempDir());
    const files = [paths.masterCreds, paths.adminCreds, paths.systemCreds, paths.masterAnswersCreds];
    expect(await problems(home)).toEqual([]);
    expect(await problems(home, 65)).toEqual([]);
    const late = await problems(home, 70);
    expect(late.map(({ severity, subject, fix }) => [severity, subject, fix])).toEqual(
      files.map((path) => ['warning', path, 'run "zester creds renew"']),
    );
    const over = await problems(home, 91);
    expect(over.map(({ severity, subject, fix }) => [severity, subject, fix])).toEqual(
      files.map((path) => ['error', path, 'run "zester creds renew"']),
    );
  });

  it('name a seed that renews them and is missing', async () => {
    const { home, paths } = await createTrustDomain(await tempDir());
    await rm(paths.systemSigningSeed);
    expect(await problems(home)).toMatchObject([
      { severity: 'error', subject: 'signing key of system.creds', code: 'ERR_TRUST_KEY_OFFLINE' },
    ]);
  });

  it('are none where they never expire', async () => {
    const { home } = await createTrustDomain(await tempDir(), { credsLifetime: 0 });
    expect(await problems(home, 10_000)).toEqual([]);
  });
});
