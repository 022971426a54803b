import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeAccountJwt, decodeUserJwt } from '../../../src/jwt/decode.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { pushAccount, showAccount } from '../../../src/account/check-account.js';
import { setPeelTemplate } from '../../../src/account/permissions.js';
import { revoke } from '../../../src/account/revoke.js';
import {
  addOperatorSigningKey,
  addAccountSigningKey,
  removeOperatorSigningKey,
  removeAccountSigningKey,
  useOperatorSigningKey,
} from '../../../src/account/rotate-keys.js';
import { exportIdentity } from '../../../src/trust/keys/export-identity.js';
import { listKeys } from '../../../src/trust/keys/key-list.js';
import { editPermissions } from '../../../src/trust/template.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { snapshot, startHome, startHomeCluster, type HomeWithServers } from './support.js';
import { forcedRemoval } from '../../support/forced-removal.js';

/** Installs the home's operator JWT on every server, one after the other, like an operator of a cluster. */
async function rollOut(fleet: HomeWithServers): Promise<void> {
  const { operatorJwt } = await fleet.domain();
  for (const node of fleet.nodes) {
    const text = await readFile(node.configPath, 'utf8');
    await writeFile(node.configPath, text.replace(/^operator: .*$/m, `operator: "${operatorJwt}"`));
    await node.restart();
    await fleet.whole();
  }
}

describe('the signing key of the peels', () => {
  it('is replaced without an outage: both valid, then only the new one', async () => {
    const fleet = await startHome();
    const old = await fleet.issue('old-01');
    const first = (await fleet.domain()).publicKeys.peelSigning;
    const peel = await fleet.peel('old-01', old.path);

    const { publicKey, inUse, report } = await addAccountSigningKey(
      fleet.home,
      'peel-signing',
      fleet.options,
    );
    expect({ inUse, confirmed: report?.confirmed }).toEqual({ inUse: true, confirmed: ['n1'] });
    const fresh = await fleet.issue('new-01');
    expect(decodeUserJwt((await loadCredsFile(fresh.path)).jwt).iss).toBe(publicKey);
    for (const [path, id] of [
      [old.path, 'old-01'],
      [fresh.path, 'new-01'],
    ] as const) {
      expect(await fleet.letsIn(path, id, fleet.node(0).url)).toBe(true);
    }
    expect(peel.nc.isClosed()).toBe(false);

    const inUseStill = await refusal('ERR_TRUST_SIGNING_KEY', () =>
      removeAccountSigningKey(fleet.home, publicKey, forcedRemoval(publicKey), fleet.options),
    );
    expect(inUseStill.message).toContain('is in use');
    await removeAccountSigningKey(fleet.home, first, forcedRemoval(first), fleet.options);
    expect(await fleet.letsIn(old.path, 'old-01', fleet.node(0).url)).toBe(false);
    expect(await fleet.letsIn(fresh.path, 'new-01', fleet.node(0).url)).toBe(true);
    expect(await readdir((await fleet.domain()).paths.keysDirectory)).not.toContain('peel-signing.seed');
    await waitFor('the old peel to be cut', () => peel.cuts() > 0);
  });

  it('has its template edited for the old and the new one alike', async () => {
    const fleet = await startHome();
    await addAccountSigningKey(fleet.home, 'peel-signing', fleet.options);
    const { claims } = await setPeelTemplate(
      fleet.home,
      (permissions) =>
        editPermissions(fleet.home, permissions, [
          { what: 'publish', list: 'allow', subject: 'extra.{{name()}}' },
        ]),
      fleet.options,
    );
    const templates = (claims.nats.signing_keys ?? []).flatMap((key) =>
      typeof key !== 'string' && key.role === 'peel' ? [key.template] : [],
    );
    expect(templates).toHaveLength(2);
    expect(templates[0]).toEqual(templates[1]);
    expect(JSON.stringify(templates[0])).toContain('extra.{{name()}}');
  });

  it('is not left behind if the push fails', async () => {
    const fleet = await startHome();
    await fleet.node(0).stop();
    const before = await snapshot(fleet.home);
    await refusal('ERR_NATS_SERVER_UNREACHABLE', () =>
      addAccountSigningKey(fleet.home, 'peel-signing', fleet.options),
    );
    expect(await snapshot(fleet.home)).toEqual(before);
  });
});

describe('the signing key of the operator', () => {
  it('is replaced without an outage, server by server', async () => {
    const fleet = await startHomeCluster();
    const { path } = await fleet.issue('web-01');
    const first = (await fleet.domain()).publicKeys.operatorSigning;
    const next = await addOperatorSigningKey(fleet.home);

    const early = await refusal('ERR_NATS_SERVER_OPERATOR_OUTDATED', () =>
      useOperatorSigningKey(fleet.home, next, fleet.options),
    );
    expect(early.message).toContain('n1, n2, n3 do not know');

    await rollOut(fleet);
    const { report } = await useOperatorSigningKey(fleet.home, next, fleet.options);
    expect(report?.confirmed).toEqual(['n1', 'n2', 'n3']);
    const domain = await fleet.domain();
    expect(domain.publicKeys.operatorSigning).toBe(next);
    for (const jwt of [domain.accountJwt, domain.systemAccountJwt])
      expect(decodeAccountJwt(jwt).iss).toBe(next);

    await removeOperatorSigningKey(fleet.home, first);
    await rollOut(fleet);
    expect(await fleet.letsIn(path, 'web-01', fleet.node(0).url)).toBe(true);
    await revoke(fleet.home, { peelId: 'web-01' }, fleet.options);
    for (const i of [0, 1, 2]) expect(await fleet.letsIn(path, 'web-01', fleet.node(i).url)).toBe(false);
  });

  it('is not removed while in use, and an unknown key is refused', async () => {
    const fleet = await startHome();
    const { publicKeys } = await fleet.domain();
    await refusal('ERR_TRUST_SIGNING_KEY', () =>
      removeOperatorSigningKey(fleet.home, publicKeys.operatorSigning),
    );
    await refusal('ERR_TRUST_SIGNING_KEY', () => removeOperatorSigningKey(fleet.home, publicKeys.operator));
    await refusal('ERR_TRUST_SIGNING_KEY', () =>
      useOperatorSigningKey(fleet.home, publicKeys.operator, fleet.options),
    );
  });
});

describe('the identity keys', () => {
  it('are taken offline, and everything but init and the operator’s signing keys still works', async () => {
    const fleet = await startHome();
    const { paths, publicKeys } = await fleet.domain();
    const offline = join(fleet.dir, 'offline');
    const exported = await exportIdentity(fleet.home, offline);
    expect(exported.map(({ role, publicKey }) => [role, publicKey])).toEqual([
      ['operator', publicKeys.operator],
      ['account', publicKeys.account],
    ]);
    expect(await readdir(offline)).toEqual(['account.seed', 'operator.seed']);
    expect((await readdir(paths.keysDirectory)).sort()).toEqual([
      'admin-signing.seed',
      'answers-signing.seed',
      'join-signing.seed',
      'master-signing.seed',
      'operator-signing.seed',
      'peel-signing.seed',
      'system-signing.seed',
    ]);

    const { path } = await fleet.issue('web-01');
    expect(await fleet.letsIn(path, 'web-01', fleet.node(0).url)).toBe(true);
    expect(await fleet.letsIn(paths.masterCreds, 'any', fleet.node(0).url)).toBe(true);
    await setPeelTemplate(fleet.home, (all) => ({ ...all, responses: { max: 2, ttl: 60 } }), fleet.options);
    const { publicKey } = await addAccountSigningKey(fleet.home, 'peel-signing', fleet.options);
    await removeAccountSigningKey(
      fleet.home,
      publicKeys.peelSigning,
      forcedRemoval(publicKeys.peelSigning),
      fleet.options,
    );
    expect((await fleet.domain()).publicKeys.peelSigning).toBe(publicKey);
    const next = await fleet.issue('web-02');
    await revoke(fleet.home, { peelId: 'web-02' }, fleet.options);
    expect(await fleet.letsIn(next.path, 'web-02', fleet.node(0).url)).toBe(false);
    await pushAccount(fleet.home, fleet.options);
    expect((await showAccount(fleet.home, fleet.options)).inSync).toBe(true);

    const refused = await refusal('ERR_TRUST_KEY_OFFLINE', () => addOperatorSigningKey(fleet.home));
    expect(refused.message).toContain(paths.operatorSeed);
    await refusal('ERR_TRUST_EXPORT', () => exportIdentity(fleet.home, offline));
  });

  it('are not exported into the home, nor over another key', async () => {
    const fleet = await startHome();
    const before = await snapshot(fleet.home);
    await refusal('ERR_TRUST_EXPORT', () => exportIdentity(fleet.home, join(fleet.home, 'offline')));
    const other = await startHome();
    const offline = join(other.dir, 'offline');
    await exportIdentity(other.home, offline);
    await refusal('ERR_TRUST_EXPORT', () => exportIdentity(fleet.home, offline));
    expect(await snapshot(fleet.home)).toEqual(before);
  });
});

describe('the list of keys', () => {
  it('shows the role, signatures, age and seed path of each', async () => {
    const fleet = await startHome();
    await fleet.issue('web-01');
    await fleet.issue('web-02');
    const { paths, publicKeys, settings } = await fleet.domain();
    await addAccountSigningKey(fleet.home, 'peel-signing', fleet.options);
    await exportIdentity(fleet.home, join(fleet.dir, 'offline'));
    const domain = await fleet.domain();
    const keys = await listKeys(domain);
    expect(keys.map(({ role, current, signed, seedPath }) => ({ role, current, signed, seedPath }))).toEqual([
      { role: 'operator identity', current: true, signed: ['the operator JWT'], seedPath: undefined },
      {
        role: 'operator signing',
        current: true,
        signed: ['the account SYS', 'the account fleet'],
        seedPath: paths.operatorSigningSeed,
      },
      {
        role: 'account identity',
        current: true,
        signed: [],
        seedPath: undefined,
      },
      {
        role: 'peel signing',
        current: false,
        signed: ['2 peel credentials'],
        seedPath: paths.peelSigningSeed,
      },
      { role: 'join signing', current: true, signed: [], seedPath: paths.joinSigningSeed },
      { role: 'master signing', current: true, signed: ['master.creds'], seedPath: paths.masterSigningSeed },
      {
        role: 'answers signing',
        current: true,
        signed: ['master-answers.creds'],
        seedPath: paths.answersSigningSeed,
      },
      { role: 'admin signing', current: true, signed: ['admin.creds'], seedPath: paths.adminSigningSeed },
      {
        role: 'peel signing',
        current: true,
        signed: [],
        seedPath: join(paths.keysDirectory, `peel-signing.${domain.publicKeys.peelSigning}.seed`),
      },
      { role: 'system account identity', current: true, signed: [], seedPath: undefined },
      { role: 'system signing', current: true, signed: ['system.creds'], seedPath: paths.systemSigningSeed },
    ]);
    expect(keys.find(({ publicKey }) => publicKey === publicKeys.peelSigning)?.since).toBe(
      settings.createdAt,
    );
    expect(Date.parse(keys[8]?.since ?? '')).toBeGreaterThan(Date.parse(settings.createdAt));
  });
});
