import { readFile, rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { loadCredsFile } from '../../src/creds/parse.js';
import { validateJwtChain } from '../../src/jwt/chain.js';
import { masterAnswersPermissions } from '../../src/permissions/roles.js';
import { checkHome } from '../../src/doctor/check-home.js';
import { createTrustDomain } from '../../src/trust/create/create.js';
import { ensureMasterAnswersCreds } from '../../src/trust/master-answers.js';
import { openTrustDomain } from '../../src/trust/open.js';
import { tempDir } from '../support/temp-dir.js';

/** A home that predates the masters' user for answers. */
async function olderHome() {
  const domain = await createTrustDomain(await tempDir(), { credsLifetime: 0 });
  await rm(domain.paths.masterAnswersCreds);
  return domain;
}

const answersFindings = async (home: string) =>
  (await checkHome(home)).findings.filter(({ subject }) => subject.endsWith('master-answers.creds'));

it('a home has credentials for answers, of a user that publishes to inboxes only', async () => {
  const domain = await createTrustDomain(await tempDir(), { credsLifetime: 0 });
  const { paths, operatorJwt, accountJwt, publicKeys, home } = domain;
  const creds = await loadCredsFile(paths.masterAnswersCreds);
  expect(() => validateJwtChain(operatorJwt, accountJwt, creds.jwt)).not.toThrow();
  expect(creds.claims).toMatchObject({ name: 'zester-master-answers', iss: publicKeys.account });
  expect(creds.claims.nats.pub?.allow).toEqual(['_INBOX.>']);
  expect(creds.claims.nats.sub?.allow).toEqual(masterAnswersPermissions().subscribe?.allow);
  expect((await answersFindings(home)).every(({ severity }) => severity === 'ok')).toBe(true);
});

it('a home whose credentials expire gets them again from the key that renews them, without the identity seed', async () => {
  const { home, paths, operatorJwt, accountJwt } = await createTrustDomain(await tempDir());
  const before = await loadCredsFile(paths.masterAnswersCreds);
  await rm(paths.masterAnswersCreds);
  await rm(paths.accountSeed);
  await createTrustDomain(home);
  const creds = await loadCredsFile(paths.masterAnswersCreds);
  expect(() => validateJwtChain(operatorJwt, accountJwt, creds.jwt)).not.toThrow();
  expect(creds.claims).toMatchObject({ iss: before.claims.iss, exp: expect.any(Number) as number });
});

it('an older home opens without them, doctor suggests the fix, and "init" creates only them', async () => {
  const { home, paths } = await olderHome();
  await openTrustDomain(home);
  expect(await answersFindings(home)).toMatchObject([
    { severity: 'warning', fix: expect.stringContaining('zester permissions migrate') },
  ]);
  const master = await readFile(paths.masterCreds, 'utf8');
  const made: string[] = [];
  await createTrustDomain(home, { onStep: (step) => void (step.made && made.push(step.path)) });
  expect(made).toEqual([paths.masterAnswersCreds]);
  expect(await readFile(paths.masterCreds, 'utf8')).toBe(master);
  expect((await answersFindings(home)).every(({ severity }) => severity === 'ok')).toBe(true);
});

it('an older home with an offline identity seed stays unchanged until the key is given', async () => {
  const domain = await olderHome();
  const { home, paths } = domain;
  const account = await domain.accountKey();
  await rm(paths.accountSeed);
  await createTrustDomain(home);
  expect(await ensureMasterAnswersCreds(domain)).toBe('offline');
  expect(await answersFindings(home)).toMatchObject([{ severity: 'warning' }]);
  expect(await ensureMasterAnswersCreds(domain, { signer: account })).toBe('made');
  expect(await ensureMasterAnswersCreds(domain, { signer: account })).toBe('there');
});
