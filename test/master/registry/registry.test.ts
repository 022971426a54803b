import { describe, expect, it } from 'vitest';
import { FleetError } from '../../../src/errors.js';
import { Registry, type Decision, type RegistryAudit } from '../../../src/master/registry/registry.js';
import { decideFresh } from '../../../src/master/registry/decide-fresh.js';
import type { PeelRecord } from '../../../src/protocol/records/record.js';
import { keptLog } from '../../support/kept-log.js';
import { MemoryBucket } from '../../support/memory-bucket.js';
import { refusal } from '../../support/refusal.js';

const admin = { kind: 'admin', name: 'zester-admin' } as const;
const issued: Decision = {
  change: { kind: 'key.issued', key: { publicKey: 'UA', issuer: 'AX', issuedAt: 1_900_000_000 } },
  by: admin,
};
const revoked: Decision = { change: { kind: 'peel.revoked', upTo: 1_900_000_001 }, by: admin };

/** A registry, and the events that it published. */
async function opened(bucket = new MemoryBucket()) {
  const published: string[] = [];
  let ids = 0;
  const audit = {
    complete: (entry: object) => ({ ...entry, id: `event-${++ids}`, at: '2030-01-01T00:00:00.000Z' }),
    decided: ({ kind }: { kind: string }) => void published.push(`publish ${kind}`),
    publishUnseen: ({ kind }: { kind: string }) => void published.push(`publishUnseen ${kind}`),
    expect: () => undefined,
  } as unknown as RegistryAudit;
  const registry = await Registry.open(bucket.kv, audit, keptLog().logger);
  return { registry, bucket, published };
}

describe('a registry', () => {
  it('creates a record with the first event, and publishes it', async () => {
    const { registry, published, bucket } = await opened();
    const { record, changed } = await registry.decide('web-1', () => issued);
    expect(changed).toBe(true);
    expect(record).toMatchObject({ id: 'web-1', state: 'accepted', number: 1 });
    expect(registry.ownerOf('UA')).toBe('web-1');
    expect(published).toEqual(['publish key.issued']);
    // one value: no decision exists without its event
    expect(bucket.value('web-1')).toMatchObject({
      record: { number: 1 },
      event: { kind: 'key.issued', number: 1 },
    });
  });

  it('publishes the event that a new one overwrites, in case its master has died', async () => {
    const { registry, published } = await opened();
    await registry.decide('web-1', () => issued);
    await registry.decide('web-1', () => revoked);
    expect(published.slice(1)).toEqual(['publishUnseen key.issued', 'publish peel.revoked']);
  });

  it('changes and publishes nothing if nothing is decided', async () => {
    const { registry, published } = await opened();
    await registry.decide('web-1', () => issued);
    expect(await registry.decide('web-1', () => undefined)).toMatchObject({ changed: false });
    expect(published).toHaveLength(1);
    await refusal('ERR_FLEET_UNKNOWN_PEEL', () => registry.decide('web-2', () => undefined));
  });

  it('repeats a decision on the record of a faster master', async () => {
    const { registry, bucket } = await opened();
    const other = await opened(bucket);
    await registry.decide('web-1', () => issued);
    const seen: (string | undefined)[] = [];
    bucket.beforePut = () => {
      const { record, event } = bucket.value('web-1') as { record: PeelRecord; event: object };
      bucket.set('web-1', {
        record: { ...record, state: 'active', number: 2 },
        event: { ...event, number: 2 },
      });
    };
    const { record } = await other.registry.decide('web-1', (current) => {
      seen.push(current?.state);
      return revoked;
    });
    expect(seen).toEqual(['accepted', 'active']);
    expect(record).toMatchObject({ state: 'revoked', number: 3 });
  });

  it('notifies listeners of changes by any master', async () => {
    const { registry, bucket } = await opened();
    const other = await opened(bucket);
    const changes: string[] = [];
    const stop = registry.onChange(({ id }, { kind }) => void changes.push(`${id} ${kind}`));
    await other.registry.decide('web-1', () => issued);
    await new Promise(setImmediate);
    stop();
    await other.registry.decide('web-1', () => revoked);
    expect(changes).toEqual(['web-1 key.issued']);
  });

  it('refuses an invalid ID before calling the decision', async () => {
    const { registry } = await opened();
    await refusal('ERR_PEEL_ID', () => registry.decide('a.b', () => issued));
  });
});

describe('a refusal on a record in memory', () => {
  const refuseAccepted = (record: PeelRecord | undefined) => {
    if (record?.state === 'accepted') throw new FleetError('ERR_FLEET_STATE', 'accepted');
    return revoked;
  };

  it('counts only if the record in the store is the same', async () => {
    const { registry, bucket } = await opened();
    await registry.decide('web-1', () => issued);
    await refusal('ERR_FLEET_STATE', () => decideFresh(registry, 'web-1', refuseAccepted));

    bucket.silence();
    const { record, event } = bucket.value('web-1') as { record: PeelRecord; event: object };
    bucket.set('web-1', {
      record: { ...record, state: 'active', number: 2 },
      event: { ...event, number: 2 },
    });
    const { record: after } = await decideFresh(registry, 'web-1', refuseAccepted);
    expect(after.state).toBe('revoked');
  });
});
