import { expect, it } from 'vitest';
import type { Msg } from '@nats-io/nats-core';
import { subscribe } from '../../src/peel/subscribe.js';
import { MemoryClient } from '../connection/memory-client.js';

it('subscribes to commands in a group of the peel’s own, and to notices without one', () => {
  const client = new MemoryClient();
  const received: string[] = [];
  subscribe(client.nc, 'web-01', {
    command: () => void received.push('command'),
    notice: () => void received.push('notice'),
  });
  const [commands, notices] = client.subscriptions;
  expect(commands).toMatchObject({ subject: 'zester.cmd.web-01', queue: 'web-01' });
  expect(notices?.queue).toBeUndefined();
  const msg = {} as Msg;
  void commands?.callback(null, msg);
  void notices?.callback(null, msg);
  void notices?.callback(new Error('permissions violation'), msg);
  expect(received).toEqual(['command', 'notice']);
});
