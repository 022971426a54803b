import { headers, type NatsConnection } from '@nats-io/nats-core';
import { describe, expect, it } from 'vitest';
import { connectMaster } from '../../../src/connection/connect.js';
import { applyEvent } from '../../../src/protocol/records/apply-event.js';
import type { PeelChange, PeelEvent } from '../../../src/protocol/records/audit-event.js';
import { encodeJson } from '../../../src/protocol/messages.js';
import { auditSubject, FLEET_STREAMS } from '../../../src/permissions/names.js';
import { DEFAULT_REPLICAS } from '../../../src/master/store/replicas.js';
import { openStore } from '../../../src/master/store/store.js';
import { contextOf } from '../../../src/master/context-of.js';
import { atEnd } from '../../support/cleanup.js';
import { noCluster } from '../../support/nats-servers.js';
import { waitFor } from '../../support/wait-for.js';
import { startZester } from '../server/zester-process.js';
import { startHome } from '../trust/support.js';
import { Fleet, startFleet, startFleetCluster } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';
import { readAudit } from '../../../src/master/audit/read-audit.js';

/** The numbers of copies that the streams of a fleet have. */
async function copiesOf({ master }: Fleet): Promise<number[]> {
  const { streams } = contextOf(master).store.jsm;
  const infos = await Promise.all([...FLEET_STREAMS.keys()].map((name) => streams.info(name)));
  return [...new Set(infos.map(({ config }) => config.num_replicas))];
}

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describe('several masters of one fleet', () => {
  it('have the same records, and one at a time follows the servers', async () => {
    const fleet = await startFleet();
    await fleet.startMaster();
    await fleet.startMaster();
    expect(await copiesOf(fleet)).toEqual([DEFAULT_REPLICAS.single]);
    const admin = await fleet.admin();
    await Promise.all(Array.from({ length: 20 }, (_, i) => addCreds(fleet, admin, `web-${i}`)));
    for (const context of fleet.masters.map(contextOf)) {
      await waitFor('all records in each memory', () => context.registry.size === 20);
    }
    await waitFor(
      "one to follow the servers' events",
      () => fleet.masters.filter(({ watching }) => watching).length === 1,
    );
    const [watching] = fleet.masters.filter((master) => master.watching);
    await waitFor('the others to know which', () =>
      fleet.masters.every((master) => contextOf(master).watching() === watching?.id),
    );
  });

  it('serialize decisions on one peel: nothing is lost, and each decision is counted', async () => {
    const fleet = await startFleet();
    const second = await fleet.startMaster();
    const admin = await fleet.admin();
    await addCreds(fleet, admin, 'web-1');
    const by = { kind: 'admin', name: 'test' } as const;
    const decisions = Array.from({ length: 40 }, (_, i) =>
      contextOf(i % 2 === 0 ? fleet.master : second).registry.decide('web-1', () => ({
        change: { kind: 'rotation.asked' },
        by,
      })),
    );
    const numbers = (await Promise.all(decisions)).map(({ record }) => record.number);
    expect(new Set(numbers).size).toBe(40);
    expect(Math.max(...numbers)).toBe(41);
    await waitFor('the audit to have all', async () => (await fleet.audit('web-1')).length === 41);
    const folded = await fleet.folded();
    expect(folded.get('web-1')).toEqual(await contextOf(second).registry.refresh('web-1'));
  });

  it.skipIf(noCluster)('keep as many copies as an option says', async () => {
    const fleet = await startFleetCluster();
    await fleet.startMaster({ replicas: 1 });
    expect(await copiesOf(fleet)).toEqual([1]);
  });

  it.skipIf(noCluster)('do so in a cluster too', async () => {
    const fleet = await startFleetCluster();
    for (let i = 0; i < 3; i += 1) await fleet.startMaster();
    expect(await copiesOf(fleet)).toEqual([DEFAULT_REPLICAS.clustered]);
    const admin = await fleet.admin();
    await addCreds(fleet, admin, 'web-1');
    const by = { kind: 'admin', name: 'test' } as const;
    const decisions = fleet.masters.flatMap((master) =>
      Array.from({ length: 20 }, () =>
        contextOf(master).registry.decide('web-1', () => ({ change: { kind: 'rotation.asked' }, by })),
      ),
    );
    const numbers = (await Promise.all(decisions)).map(({ record }) => record.number);
    expect(new Set(numbers).size).toBe(60);
    await waitFor('the audit to have all', async () => (await fleet.audit('web-1')).length >= 61);
    const record = await contextOf(fleet.master).registry.refresh('web-1');
    expect(record?.number).toBe(61);
    expect((await fleet.folded()).get('web-1')).toEqual(record);
  });

  it('continue when the lease holder is killed, and catch up', async () => {
    const fleet = new Fleet(await startHome());
    const args = [
      'master',
      '--home',
      fleet.home.home,
      '--servers',
      ...fleet.servers,
      '--policy',
      'auto-trusted',
      '--json',
    ];
    const first = startZester(args);
    await waitFor('the first master', () => first.stdout().includes('"ready"'), 60_000);
    await waitFor(
      "it to follow the servers' events",
      () => first.stderr().includes("following the servers' events"),
      30_000,
    );
    const second = await fleet.startMaster({ policy: 'auto-trusted' });
    expect(second.watching).toBe(false);

    first.kill('SIGKILL');
    await first.exited;
    const { path } = await fleet.home.issue('web-1', 3_600);
    await fleet.home.peel('web-1', path);
    await fleet.record('web-1', ({ state }) => state === 'active', second);
    expect(second.watching).toBe(true);
    await waitFor(
      'its connection to be known',
      () => contextOf(second).presence.get('web-1')?.connections.length === 1,
    );
  });

  it('one that stops hands over to another', async () => {
    const fleet = await startFleet({ policy: 'auto-trusted' });
    await waitFor("the first to follow the servers' events", () => fleet.master.watching);
    const second = await fleet.startMaster({ policy: 'auto-trusted' });
    await fleet.master.stop();
    await waitFor('the second to follow them', () => second.watching);
    expect(contextOf(second).watching()).toBe(second.id);
  });
});

describe('a decision that a killed master could not carry out', () => {
  /** Writes a decision like a master that is killed right after: only the record has it. */
  async function decideAndDie(
    fleet: Fleet,
    peelId: string,
    change: PeelChange,
    lastWords: (nc: NatsConnection, event: PeelEvent) => void = () => undefined,
  ): Promise<PeelEvent> {
    const { paths } = await fleet.home.domain();
    const nc = await connectMaster({ servers: fleet.servers, credsPath: paths.masterCreds });
    atEnd(() => nc.close());
    const { peels } = await openStore(nc, { logger: SILENT });
    const entry = await peels.get(peelId);
    if (entry === null) throw new Error(`no record of ${peelId}`);
    const { record } = entry.json<{ record: Parameters<typeof applyEvent>[0] & object }>();
    const event: PeelEvent = {
      ...change,
      id: `of-a-master-that-died-${peelId}-${record.number + 1}`,
      at: new Date().toISOString(),
      by: { kind: 'admin', name: 'test' },
      peelId,
      number: record.number + 1,
    };
    await peels.put(peelId, encodeJson({ record: applyEvent(record, event), event }), {
      previousSeq: entry.revision,
    });
    lastWords(nc, event);
    await nc.flush();
    return event;
  }

  const revocation = (): PeelChange => ({ kind: 'peel.revoked', upTo: Math.floor(Date.now() / 1000) });

  it('is carried out by another master, and audited once', async () => {
    const fleet = await startFleet();
    const admin = await fleet.admin();
    const peel = await TestPeel.start(fleet, await addCreds(fleet, admin, 'web-1'));
    await fleet.record('web-1', ({ state }) => state === 'active');
    const event = await decideAndDie(fleet, 'web-1', revocation());
    await peel.event('disconnected');
    await fleet.record('web-1', ({ keys }) => keys.every(({ state }) => state === 'revoked'));
    await fleet.audited('peel.revoked', ({ id }) => id === event.id);
    expect((await fleet.audit('web-1')).filter(({ kind }) => kind === 'peel.revoked')).toHaveLength(1);
  });

  it('is audited even if others received the event but no server stored it', async () => {
    const fleet = await startFleet();
    const second = await fleet.startMaster();
    await addCreds(fleet, await fleet.admin(), 'web-1');
    const event = await decideAndDie(fleet, 'web-1', { kind: 'rotation.asked' }, (nc, published) => {
      const refused = headers();
      refused.set('Nats-Msg-Id', published.id);
      // like a stream without a leader: subscribers get it, but it is not stored
      refused.set('Nats-Expected-Stream', 'another');
      nc.publish(auditSubject('web-1', published.kind), encodeJson(published), { headers: refused });
    });
    await fleet.record('web-1', ({ number }) => number === event.number, second);
    await fleet.audited('rotation.asked', ({ id }) => id === event.id);
    expect((await fleet.folded()).get('web-1')).toEqual(contextOf(second).registry.get('web-1'));
  });

  it('is audited by the next master to start, even if another overwrote it and died as well', async () => {
    const fleet = await startFleet();
    await addCreds(fleet, await fleet.admin(), 'web-1');
    await fleet.audited('key.issued');
    await fleet.master.stop();
    const events = [
      await decideAndDie(fleet, 'web-1', { kind: 'rotation.asked' }),
      await decideAndDie(fleet, 'web-1', revocation()),
    ];
    const next = await fleet.startMaster();
    const found = await waitFor('the audit to be completed', async () => {
      const ids: string[] = [];
      for await (const { id } of readAudit(contextOf(next).store, { peelId: 'web-1' })) ids.push(id);
      return events.every(({ id }) => ids.includes(id)) ? ids : undefined;
    });
    expect(new Set(found).size).toBe(found.length);
  });

  it('is carried out by the next master to start, if there was no other', async () => {
    const fleet = await startFleet();
    const admin = await fleet.admin();
    const peel = await TestPeel.start(fleet, await addCreds(fleet, admin, 'web-1'));
    await fleet.record('web-1', ({ state }) => state === 'active');
    await fleet.master.stop();
    const event = await decideAndDie(fleet, 'web-1', revocation());
    const next = await fleet.startMaster();
    await peel.event('disconnected');
    await fleet.record('web-1', ({ keys }) => keys.every(({ state }) => state === 'revoked'), next);
    const audited = async () => {
      const events = [];
      for await (const found of readAudit(contextOf(next).store, { peelId: 'web-1' })) events.push(found);
      return events;
    };
    await waitFor('the audit to be completed', async () =>
      (await audited()).some(({ id }) => id === event.id),
    );
    expect((await audited()).filter(({ kind }) => kind === 'peel.revoked')).toHaveLength(1);
  });
});
