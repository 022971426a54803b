import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { MasterLogger } from '../../../src/master/logger.js';
import { zester } from '../../cli/run-zester.js';
import { waitFor } from '../../support/wait-for.js';
import { startHome } from '../trust/support.js';
import { connectUser } from './asking.js';
import { Fleet } from './fleet.js';

/** A fleet whose server has little file storage, and its master's log. */
async function startSmallFleet(): Promise<{ fleet: Fleet; log: string[] }> {
  const home = await startHome();
  const [node] = home.nodes;
  if (node === undefined) throw new Error('there is no server');
  await node.stop();
  const text = await readFile(node.configPath, 'utf8');
  const small = text.replace(/jetstream:?\s*\{/, 'jetstream {\n  max_file_store: 400KB\n');
  expect(small).not.toBe(text);
  await writeFile(node.configPath, small);
  await node.start();
  const log: string[] = [];
  const note = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`);
  const logger: MasterLogger = { debug: () => undefined, info: note, warn: note, error: note };
  const fleet = new Fleet(home);
  await fleet.startMaster({ logger });
  return { fleet, log };
}

describe("where JetStream's storage is nearly full", () => {
  it('the master and doctor warn before, and a peel is refused with the reason when it is', async () => {
    const { fleet, log } = await startSmallFleet();
    expect(log.filter((line) => /of file storage left, of 0\.4 MB/.test(line))).toHaveLength(1);
    const at = ['--home', fleet.home.home, '--servers', ...fleet.servers];
    const doctor = await zester(['doctor', ...at]);
    expect(doctor.stdout).toMatch(/warning +storage .*of file storage left/);
    expect(doctor.stdout).toContain('max_file_store, or free space');

    const nc = await connectUser(fleet, 'filler', undefined);
    const jsm = await jetstreamManager(nc);
    await jsm.streams.add({ name: 'FILL', subjects: ['fill'] });
    await expect(
      (async () => {
        for (let i = 0; i < 800; i += 1) await jetstream(nc).publish('fill', Buffer.alloc(1_000));
      })(),
    ).rejects.toThrow();
    const added = await zester(['peel', 'add', 'web-01', '--out', `${fleet.home.dir}/`, ...at]);
    expect(added.code).toBe(4);
    expect(added.stderr).toContain("JetStream's storage is full");
    await waitFor('the log to say it', () => log.some((line) => line.includes('storage is full')));

    await jsm.streams.purge('FILL');
    const again = await zester(['peel', 'add', 'web-01', '--out', `${fleet.home.dir}/`, ...at]);
    expect(again.code, again.stderr).toBe(0);
    await nc.close();
  }, 60_000);
});
