import { expect, it } from 'vitest';
import type { MasterContext } from '../../../../src/master/context.js';
import { listPeels } from '../../../../src/master/requests/admin/queries.js';
import type { AnswerOf, RequestOf } from '../../../../src/protocol/messages.js';
import type { PeelRecord } from '../../../../src/protocol/records/record.js';

const AT = '2030-01-01T00:00:00.000Z';

/** A registry with these peels. Records with a reason of many characters exceed the message size. */
function registryOf(peels: Record<string, number>): MasterContext {
  const records = new Map(
    Object.entries(peels).map(([id, length]): [string, PeelRecord] => {
      const decided = { by: { kind: 'admin', name: 'a' } as const, at: AT, reason: 'x'.repeat(length) };
      return [id, { id, state: 'active', keys: [], decided, number: 1, createdAt: AT, updatedAt: AT }];
    }),
  );
  return {
    nc: { info: { max_payload: 1_024 } },
    presence: { get: () => undefined, seen: () => undefined },
    registry: { get: (id: string) => records.get(id), records: () => records.values() },
    now: () => Date.parse(AT),
  } as unknown as MasterContext;
}

async function listed(context: MasterContext, request: RequestOf<'peel.list'>) {
  const call = { request, caller: 'a', by: { kind: 'admin', name: 'a' } as const, from: undefined };
  const parts: AnswerOf<'peel.list'>[] = [];
  for await (const { text } of listPeels(context, call))
    parts.push(JSON.parse(text) as AnswerOf<'peel.list'>);
  return {
    ids: parts.flatMap(({ peels }) => peels.map(({ record }) => record.id)),
    skipped: parts.flatMap(({ skipped = [] }) => skipped),
  };
}

it.each([{ limit: 2 }, { top: { by: 'state' as const, limit: 2 } }])(
  'fills a page %j with the peels after those whose records exceed a message',
  async (request) => {
    const context = registryOf({ a: 1, b: 5_000, c: 1, d: 5_000, e: 1 });
    expect(await listed(context, request)).toEqual({ ids: ['a', 'c'], skipped: ['b'] });
  },
);
