import { connect } from '@nats-io/transport-node';
import { execFile } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { writeCredsFile } from '../../../src/creds/generate.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { signingKeyClaim } from '../../../src/jwt/account.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { showAccount } from '../../../src/account/check-account.js';
import { peelTemplate, setPeelTemplate } from '../../../src/account/permissions.js';
import { clearRevocations, revoke } from '../../../src/account/revoke.js';
import {
  addAccountSigningKey,
  removeAccountSigningKey,
  useAccountSigningKey,
} from '../../../src/account/rotate-keys.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { joinName, joinUserJwtOptions } from '../../../src/permissions/roles.js';
import { exportIdentity } from '../../../src/trust/keys/export-identity.js';
import { listExpirations } from '../../../src/trust/expirations.js';
import { editPermissions } from '../../../src/trust/template.js';
import { isJoinIssuer, joinSigningKey } from '../../../src/trust/keys/signing-keys.js';
import { zester } from '../../cli/run-zester.js';
import { refusal } from '../../support/refusal.js';
import { tsProgram } from '../../support/ts-program.js';
import { waitFor } from '../../support/wait-for.js';
import { withoutJoinKey } from '../../trust/older-home.js';
import { snapshot, startHome, type HomeWithServers } from './support.js';
import { forcedRemoval } from '../../support/forced-removal.js';

const run = promisify(execFile);
const script = fileURLToPath(new URL('./children/add-join-key.ts', import.meta.url));

let tokens = 0;

/** Makes the credentials of a join token. @returns the `.creds` file */
async function joinToken(fleet: HomeWithServers): Promise<string> {
  const domain = await fleet.domain();
  const signer = await domain.joinSigner();
  const user = generateKeyBundle('user');
  const tokenId = `token${String((tokens += 1)).padStart(5, '0')}`;
  const path = join(fleet.dir, `${tokenId}.creds`);
  const options = joinUserJwtOptions(tokenId, domain.publicKeys.account, { expiry: 900 });
  await writeCredsFile(path, createUserJwt(user, signer, options), user.seed);
  signer.wipe();
  return path;
}

/** Whether the server admits a user. */
async function letsIn(fleet: HomeWithServers, path: string): Promise<boolean> {
  try {
    const nc = await connect({
      ...(await loadCredsFile(path)).natsOption(),
      servers: fleet.servers,
      reconnect: false,
    });
    await nc.close();
    return true;
  } catch (error) {
    if (/authorization|revoked/i.test(String(error))) return false;
    throw error;
  }
}

/** A home that predates join tokens, and its server. */
async function startOlderHome(): Promise<HomeWithServers> {
  return startHome({ prepare: withoutJoinKey });
}

describe('a home that predates join tokens', () => {
  it('gets their signing key once, on the servers too, and its peels stay connected', async () => {
    const fleet = await startOlderHome();
    const { path } = await fleet.issue('web-01');
    const peel = await fleet.peel('web-01', path);
    const change = await addAccountSigningKey(fleet.home, 'join-signing', fleet.options);
    expect(change.report?.confirmed).toEqual(['n1']);
    const domain = await fleet.domain();
    expect(domain.publicKeys.joinSigning).toBeDefined();
    expect(change.domain.publicKeys).toEqual(domain.publicKeys);
    expect((await stat(domain.paths.joinSigningSeed)).mode & 0o777).toBe(0o600);
    expect(await letsIn(fleet, await joinToken(fleet))).toBe(true);
    await peel.nc.flush();
    expect(peel.cuts()).toBe(0);
  });

  it('gets it with "zester keys add join-signing" too', async () => {
    const fleet = await startOlderHome();
    const args = ['--home', fleet.home, '--servers', ...fleet.servers];
    const { code, stdout } = await zester(['keys', 'add', 'join-signing', ...args]);
    const { publicKeys } = await fleet.domain();
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${publicKeys.joinSigning ?? '?'}\nin force on n1; it signs new join tokens\n`,
    });
    expect(await letsIn(fleet, await joinToken(fleet))).toBe(true);
  });

  it('gets it with offline identities, and without servers, to be pushed later', async () => {
    const fleet = await startOlderHome();
    await exportIdentity(fleet.home, join(fleet.dir, 'offline'));
    const change = await addAccountSigningKey(fleet.home, 'join-signing', { servers: false });
    expect(change.report).toBeUndefined();
    const { accountClaims, publicKeys } = await fleet.domain();
    expect(isJoinIssuer(accountClaims, publicKeys.joinSigning ?? '')).toBe(true);
  });

  it.each(['seed', 'account'])(
    'gets exactly one key from the next call after one that was killed after the %s',
    async (step) => {
      const fleet = await startOlderHome();
      const died = await run(process.execPath, [
        tsProgram(script),
        fleet.home,
        fleet.servers[0] ?? '',
        step,
      ]).then(
        () => undefined,
        (error: { signal?: string }) => error.signal,
      );
      expect(died, 'it was killed').toBe('SIGKILL');
      const { paths, publicKeys } = await fleet.domain();
      expect(publicKeys.joinSigning).toBeUndefined();
      const seed = await readFile(paths.joinSigningSeed, 'latin1');

      const change = await addAccountSigningKey(fleet.home, 'join-signing', fleet.options);
      expect(change.report?.confirmed).toEqual(['n1']);
      expect(await readFile(paths.joinSigningSeed, 'latin1')).toBe(seed);
      const joinKeys = (change.claims.nats.signing_keys ?? []).filter(
        (key) => typeof key !== 'string' && key.role === 'join',
      );
      expect(joinKeys).toHaveLength(1);
      expect((await showAccount(fleet.home, fleet.options)).inSync).toBe(true);
      expect(await letsIn(fleet, await joinToken(fleet))).toBe(true);
    },
  );

  it('stays as it is where no server can be reached', async () => {
    const fleet = await startOlderHome();
    await fleet.node(0).stop();
    const before = await snapshot(fleet.home);
    await refusal('ERR_NATS_SERVER_UNREACHABLE', () =>
      addAccountSigningKey(fleet.home, 'join-signing', fleet.options),
    );
    expect(await snapshot(fleet.home)).toEqual(before);
  });
});

describe('the signing key of join tokens', () => {
  it('is replaced as that of the peels is, and a peel notices nothing', async () => {
    const fleet = await startHome();
    const peel = await fleet.peel('web-01', (await fleet.issue('web-01')).path);
    const { joinSigning: first = '', peelSigning } = (await fleet.domain()).publicKeys;
    const old = await joinToken(fleet);

    const { publicKey, inUse } = await addAccountSigningKey(fleet.home, 'join-signing', fleet.options);
    expect(inUse).toBe(true);
    const fresh = await joinToken(fleet);
    expect((await loadCredsFile(fresh)).claims.iss).toBe(publicKey);
    expect(await letsIn(fleet, old)).toBe(true);
    expect(await letsIn(fleet, fresh)).toBe(true);
    await refusal('ERR_TRUST_SIGNING_KEY', () =>
      removeAccountSigningKey(fleet.home, publicKey, forcedRemoval(publicKey), fleet.options),
    );

    await removeAccountSigningKey(fleet.home, first, forcedRemoval(first), fleet.options);
    expect(await letsIn(fleet, old)).toBe(false);
    expect(await letsIn(fleet, fresh)).toBe(true);
    const domain = await fleet.domain();
    expect(domain.publicKeys).toMatchObject({ joinSigning: publicKey, peelSigning });
    await expect(stat(domain.paths.joinSigningSeed)).rejects.toMatchObject({ code: 'ENOENT' });
    await peel.nc.flush();
    expect(peel.cuts()).toBe(0);
  });

  it('never signs peels, and theirs never signs join tokens', async () => {
    const fleet = await startHome();
    const { joinSigning = '', peelSigning } = (await fleet.domain()).publicKeys;
    const nextPeel = await addAccountSigningKey(fleet.home, 'peel-signing', fleet.options);
    const nextJoin = await addAccountSigningKey(fleet.home, 'join-signing', fleet.options);
    expect(await useAccountSigningKey(fleet.home, joinSigning)).toBe('join-signing');
    expect(await useAccountSigningKey(fleet.home, peelSigning)).toBe('peel-signing');
    expect((await fleet.domain()).publicKeys).toMatchObject({ joinSigning, peelSigning });
    expect(await useAccountSigningKey(fleet.home, nextPeel.publicKey)).toBe('peel-signing');
    expect((await fleet.domain()).publicKeys).toMatchObject({ joinSigning, peelSigning: nextPeel.publicKey });
    const { publicKeys, paths } = await fleet.domain();
    await refusal('ERR_TRUST_SIGNING_KEY', () => useAccountSigningKey(fleet.home, publicKeys.account));
    await rm(join(paths.keysDirectory, `join-signing.${nextJoin.publicKey}.seed`));
    await refusal('ERR_TRUST_KEY_OFFLINE', () => useAccountSigningKey(fleet.home, nextJoin.publicKey));
  });

  it('keeps its template when that of the peels is edited, and its users their connections', async () => {
    const fleet = await startHome();
    const token = await connect({
      ...(await loadCredsFile(await joinToken(fleet))).natsOption(),
      servers: fleet.servers,
      reconnect: false,
    });
    const { joinSigning = '', peelSigning } = (await fleet.domain()).publicKeys;
    const { claims } = await setPeelTemplate(
      fleet.home,
      (all) =>
        editPermissions(fleet.home, all, [{ what: 'publish', list: 'allow', subject: 'extra.{{name()}}' }]),
      fleet.options,
    );
    expect(claims.nats.signing_keys).toContainEqual(signingKeyClaim(joinSigningKey(joinSigning)));
    expect((await peelTemplate(fleet.home)).signingKeys).toEqual([peelSigning]);
    await token.flush();
    expect(token.isClosed()).toBe(false);
    await token.close();
  });

  it('has its tokens revoked with everything that was issued before a time', async () => {
    const fleet = await startHome();
    const path = await joinToken(fleet);
    const nc = await connect({
      ...(await loadCredsFile(path)).natsOption(),
      servers: fleet.servers,
      reconnect: false,
    });
    const issuedBefore = Date.now();
    const { revoked } = await revoke(
      fleet.home,
      { issuedBefore },
      { ...fleet.options, now: () => issuedBefore + 2_000 },
    );
    expect(revoked).toEqual(['*']);
    await nc.closed();
    expect(await letsIn(fleet, path)).toBe(false);
    await clearRevocations(fleet.home, { all: true }, { ...fleet.options, now: () => issuedBefore + 4_000 });
    await waitFor('the token to be let in again', () => letsIn(fleet, path));
  });

  it('has its tokens listed among expirations', async () => {
    const fleet = await startHome();
    const path = await joinToken(fleet);
    const { expirations } = await listExpirations(await fleet.domain(), [fleet.dir]);
    const { claims } = await loadCredsFile(path);
    expect(expirations[0]).toMatchObject({
      what: 'credentials',
      name: joinName(claims.name?.slice('_zester-join-'.length) ?? ''),
      path,
      expiresAt: (claims.iat + 900) * 1000,
    });
  });

  it('has its tokens checked by the lint, which finds nothing, and by the doctor', async () => {
    const fleet = await startHome();
    const path = await joinToken(fleet);
    const lint = await zester(['permissions', 'lint', path, '--home', fleet.home]);
    expect(lint).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing found') as string });
    const doctor = await zester([
      'doctor',
      '--home',
      fleet.home,
      '--servers',
      ...fleet.servers,
      '--creds',
      path,
    ]);
    expect(doctor).toMatchObject({ code: 0, stdout: expect.stringContaining('join signing key') as string });
    const shown = await zester(['permissions', 'show', '--home', fleet.home]);
    expect(shown.stdout).not.toContain('zester.enroll');
  });
});
