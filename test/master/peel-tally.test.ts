import { expect, it } from 'vitest';
import { PeelTally } from '../../src/master/peel-tally.js';
import { PresenceView } from '../../src/master/presence/presence-view.js';
import type { RecordEvent } from '../../src/protocol/records/audit-event.js';
import type { PeelConnection } from '../../src/protocol/records/presence.js';
import type { PeelKeyState, PeelRecord } from '../../src/protocol/records/record.js';

const connection = { publicKey: 'UKEY' } as PeelConnection;

/** A registry whose records the test sets. */
function fakeRegistry() {
  const records = new Map<string, PeelRecord>();
  let listener: (record: PeelRecord, event: RecordEvent) => void = () => undefined;
  return {
    get: (id: string) => records.get(id),
    onChange(callback: typeof listener) {
      listener = callback;
      return () => undefined;
    },
    put(id: string, state: PeelKeyState) {
      const record = { id, state: 'active', keys: [{ publicKey: 'UKEY', state }] } as unknown as PeelRecord;
      records.set(id, record);
      listener(record, {} as RecordEvent);
    },
  };
}

it('a peel counts as connected from its first connection to its last', () => {
  const [registry, presence] = [fakeRegistry(), new PresenceView()];
  const tally = new PeelTally(registry, presence);
  registry.put('web-1', 'live');
  presence.set('web-1', [connection], 1, 0);
  presence.set('web-1', [connection], 2, 1);
  expect(tally.connected).toBe(1);
  presence.set('web-1', [], 0, 2);
  expect(tally.connected).toBe(0);
});

it('a connection counts once the peel has a record, and not after its key is revoked', () => {
  const [registry, presence] = [fakeRegistry(), new PresenceView()];
  const tally = new PeelTally(registry, presence);
  presence.set('web-1', [connection], 1, 0);
  expect(tally.connected).toBe(0);
  registry.put('web-1', 'live');
  expect(tally.connected).toBe(1);
  registry.put('web-1', 'revoked');
  expect(tally.connected).toBe(0);
});
