// The last events of the audit log that match, also when they are more than a master keeps in memory.
import { expect, it } from 'vitest';
import { contextOf } from '../../../src/master/context-of.js';
import { readAudit } from '../../../src/master/audit/read-audit.js';
import { AUDIT_STREAM, auditSubject } from '../../../src/permissions/names.js';
import type { AuditQuery } from '../../../src/protocol/records/audit-query.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet } from './fleet.js';

it('the last events of the audit log are the last matching ones, for any number', async () => {
  const fleet = await startFleet();
  const { store } = contextOf(fleet.master);
  const by = { kind: 'master', name: 'm' };
  const at = new Date().toISOString();
  for (let from = 0; from < 5_300; from += 100) {
    const numbers = Array.from({ length: 100 }, (_, i) => from + i);
    await Promise.all(
      numbers.map((n) => {
        const kind = n % 100 === 7 ? 'audit.trimmed' : 'storage.failed';
        const event = { id: `event-${String(n).padStart(8, '0')}`, at, kind, by, detail: { n } };
        return store.js.publish(auditSubject(undefined, kind), JSON.stringify(event));
      }),
    );
  }
  const numbersOf = async (query: AuditQuery): Promise<unknown[]> => {
    const numbers: unknown[] = [];
    for await (const { detail } of readAudit(store, query)) numbers.push(detail?.['n']);
    return numbers;
  };
  const all = await numbersOf({ kinds: ['storage.*'] });
  expect(all).toHaveLength(5_247);
  for (const last of [1, 5_000, 5_001, 5_246, 5_247, 100_000])
    expect(await numbersOf({ kinds: ['storage.*'], last })).toEqual(all.slice(-last));
  // a viewer that reads again and again must not use up the consumers of the stream
  await waitFor('the consumers to be deleted', async () => {
    const { state } = await store.jsm.streams.info(AUDIT_STREAM);
    return state.consumer_count === 0;
  });
  const every = await numbersOf({});
  for (const last of [1, 5_001, 100_000]) expect(await numbersOf({ last })).toEqual(every.slice(-last));
});
