import type { NatsConnection } from '@nats-io/nats-core';
import { expect, it } from 'vitest';
import { Abortable } from '../../src/fleet-client/abortable.js';
import { FleetPeels } from '../../src/fleet-client/fleet-peels.js';
import type { AdminClient } from '../../src/protocol/admin-client.js';

/** A master that answers in these parts. */
function answering(parts: object[]): FleetPeels {
  const client = {
    async *stream() {
      yield* parts;
    },
  };
  return new FleetPeels({} as NatsConnection, client as unknown as AdminClient, new Abortable(undefined));
}

it('lists every other peel before it fails because of records that exceed a message', async () => {
  const peels = answering([
    { peels: [{ record: { id: 'web-1' } }], skipped: ['web-2'] },
    { peels: [{ record: { id: 'web-3' } }] },
  ]);
  const listed: string[] = [];
  const all = (async () => {
    for await (const { record } of peels.list()) listed.push(record.id);
  })();

  await expect(all).rejects.toMatchObject({
    code: 'ERR_FLEET_RECORD',
    message: expect.stringContaining('web-2') as string,
  });
  expect(listed).toEqual(['web-1', 'web-3']);
});

it.each([[[]], [[{ peels: [{ record: { id: 'web-1' } }] }]]])(
  'gives no peel by labels where the master ignores them, as an earlier version does',
  async (parts: object[]) => {
    const listed = (async () => {
      for await (const { record } of answering(parts).list({ labels: { env: 'prod' } }))
        expect.unreachable(record.id);
    })();

    await expect(listed).rejects.toMatchObject({ code: 'ERR_FLEET_ANSWER' });
  },
);

it('refuses an invalid label selector before sending a request', () => {
  expect(() => answering([]).list({ labels: 'env=' + '!' })).toThrow(
    expect.objectContaining({ code: 'ERR_FLEET_LABEL' }) as Error,
  );
  expect(() => answering([]).list({ labels: {} })).toThrow(/empty/);
});
