import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { contextOf } from '../../../src/master/context-of.js';
import { recoverCredentials } from '../../../src/peel/recover.js';
import { RecoveryOnDisk } from '../../../src/peel/recovery-files.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { noCluster } from '../../support/nats-servers.js';
import { startFleet, startFleetCluster, type Fleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';

/** Credentials that have expired. */
async function expired(fleet: Fleet, peelId: string): Promise<string> {
  const path = await addCreds(fleet, await fleet.admin(), peelId, { expiry: 1 });
  const creds = await loadCredsFile(path);
  await waitFor('the credential to expire', () => creds.isExpired(() => Date.now() - 1_100));
  return path;
}

const recovered = (fleet: Fleet, credsPath: string) =>
  recoverCredentials({ servers: fleet.servers, credsPath, waitMs: 40_000 });

describe('a peel that recovers', () => {
  it('recovers once if several masters get the request concurrently', async () => {
    const fleet = await startFleet();
    await fleet.startMaster();
    const paths = await Promise.all(Array.from({ length: 5 }, (_, i) => expired(fleet, `web-${i}`)));
    const results = await Promise.all(
      paths.flatMap((path) => [recovered(fleet, path), recovered(fleet, path)]),
    );
    expect(new Set(results.map(({ publicKey }) => publicKey)).size).toBe(5);
    for (let i = 0; i < 5; i += 1) {
      const record = await fleet.record(`web-${i}`, ({ recovery }) => recovery !== undefined);
      expect(record).toMatchObject({ state: 'accepted', recovery: { count: 1 } });
    }
  });

  it('gets its answer from the next master when one dies after it has decided', async () => {
    const fleet = await startFleet();
    const path = await expired(fleet, 'web-1');
    const { registry } = contextOf(fleet.master);
    const decide = registry.decide.bind(registry);
    let died: Promise<void> | undefined;
    registry.decide = async (...args) => {
      const decided = await decide(...args);
      // its connections are closed before it can answer
      await (died ??= fleet.master.stop({ waitMs: 0 }));
      return decided;
    };
    const recovering = recovered(fleet, path);
    await waitFor('the master to die', () => died !== undefined);
    await died;
    const next = await fleet.startMaster();
    const given = await waitFor('the decision of the dead master', () => {
      const record = contextOf(next).registry.get('web-1');
      return record?.recovery === undefined ? undefined : record;
    });
    expect(await recovering).toMatchObject({
      outcome: 'recovered',
      publicKey: given.keys.at(-1)?.publicKey,
    });
    expect(contextOf(next).registry.get('web-1')).toMatchObject({
      state: 'accepted',
      recovery: { count: 1 },
    });
  });

  it('is not taken for a copy when its request arrives after a rotation', async () => {
    const fleet = await startFleet();
    const admin = await fleet.admin();
    const path = await addCreds(fleet, admin, 'web-1');
    const old = await loadCredsFile(path);
    // it requested a recovery, and gave up waiting for the answer
    const asked = (await new RecoveryOnDisk(path).newKeyFor(old.publicKey)).publicKey;
    const late = join(await tempDir(), 'web-1.creds');
    for (const suffix of ['', '.recovery', '.recovering'])
      await copyFile(`${path}${suffix}`, `${late}${suffix}`);
    const test = await TestPeel.start(fleet, path);
    await fleet.record('web-1', ({ state }) => state === 'active');
    await admin.ask('peel.rotate', { peelId: 'web-1' });
    await waitFor('the rotation', () => test.of('keyRotated').length > 0);
    expect(test.of('keyRotated')).toMatchObject([{ publicKey: asked, replaces: old.publicKey }]);
    expect(await recovered(fleet, late)).toMatchObject({ publicKey: asked });
    expect((await fleet.record('web-1', () => true)).state).toBe('active');
    expect(existsSync(`${path}.recovering`)).toBe(false);
  });

  it.skipIf(noCluster)('waits for JetStream to have a leader again', async () => {
    const fleet = await startFleetCluster();
    await fleet.startMaster();
    const path = await expired(fleet, 'web-1');
    const [, second, third] = fleet.home.nodes;
    await Promise.all([second?.kill(), third?.kill()]);
    const errors: string[] = [];
    const recovering = recoverCredentials({
      servers: fleet.home.node(0).url,
      credsPath: path,
      waitMs: 60_000,
      onEvent: (event) =>
        event.type === 'retrying' && errors.push((event.error as { code?: string }).code ?? ''),
    });
    await waitFor('an attempt that JetStream did not answer', () => errors.length > 0, 30_000);
    await Promise.all([second?.start(), third?.start()]);
    expect(await recovering).toMatchObject({ outcome: 'recovered' });
    const record = await fleet.record('web-1', ({ recovery }) => recovery !== undefined);
    expect(record).toMatchObject({ state: 'accepted', recovery: { count: 1 } });
  });
});
