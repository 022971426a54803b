import type { NatsConnection } from '@nats-io/nats-core';
import { expect, it, vi } from 'vitest';
import { connectionsNow } from '../../../src/master/watch/system-events.js';
import { connectedUsers, type ConnectedUser } from '../../../src/system-account/connected-users.js';

vi.mock('../../../src/system-account/connected-users.js', () => ({ connectedUsers: vi.fn() }));

it('lists a fleet of any size: no call has an argument per connection', async () => {
  const user = { name: 'web-1', publicKey: 'U', jwt: 'a JWT', server: 'N1' } as ConnectedUser;
  const users = Array.from({ length: 300_000 }, (_, cid) => ({ ...user, cid }));
  const servers = new Set(['N1']);
  vi.mocked(connectedUsers).mockResolvedValue({
    servers,
    complete: servers,
    isComplete: true,
    users,
    known: [],
  });
  const { connections } = await connectionsNow({} as NatsConnection, 'A');
  expect(connections).toHaveLength(users.length);
});
