import { errors, type Msg } from '@nats-io/transport-node';
import { expect, it } from 'vitest';
import { askServer } from '../../src/system-account/ask-server.js';

/** A connection of the system account that records what it is asked. */
function recorder() {
  const asked: unknown[] = [];
  const answer = {} as Msg;
  const request = (...args: unknown[]) => {
    asked.push(args);
    return Promise.resolve(answer);
  };
  return { nc: { request }, asked, answer };
}

it('asks the server of this ID', async () => {
  const { nc, asked, answer } = recorder();
  const id = `N${'A'.repeat(55)}`;
  expect(await askServer(nc, id, 'CONNZ', { cid: 7 }, 100)).toBe(answer);
  expect(asked).toEqual([[`$SYS.REQ.SERVER.${id}.CONNZ`, '{"cid":7}', { timeout: 100 }]]);
});

it.each(['*', '>', 'PING', 'A.B', '', 'N A', `N${'A'.repeat(55)}\r\nPUB x 0`, `U${'A'.repeat(55)}`])(
  'publishes nothing for %j, which is no ID of a server',
  async (server) => {
    const { nc, asked } = recorder();
    for (const request of ['ACCOUNTZ', 'CONNZ', 'KICK', 'VARZ'] as const)
      await expect(askServer(nc, server, request, {}, 100)).rejects.toBeInstanceOf(errors.NoRespondersError);
    expect(asked).toEqual([]);
  },
);
