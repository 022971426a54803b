import {
  connect,
  type Msg,
  type MsgCallback,
  type NatsConnection,
  type Status,
} from '@nats-io/transport-node';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { connectPeel, type ConnectSettings, type ZesterConnection } from '../../../src/connection/connect.js';
import type { ConnectionEvent } from '../../../src/connection/events.js';
import type { Credentials } from '../../../src/creds/credentials-option.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { atEnd } from '../../support/cleanup.js';
import type { OperatorCredentials } from '../../support/operator-server.js';
import { waitFor } from '../../support/wait-for.js';

/** A connected peel, its credentials file, and its events. */
export interface TestPeel {
  nc: ZesterConnection;
  credsPath: string;
  events: ConnectionEvent[];
  statuses: Status[];
}

/** Short waits, for tests with many reconnects; the defaults have separate tests. */
export const SHORT_WAITS = { reconnectTimeWait: 50, reconnectJitter: 0 } as const;

/** Connects a peel whose credential allows everything, so that a test may publish anywhere. */
export async function startPeel(
  server: OperatorCredentials & { url: string },
  options: Omit<ConnectSettings, 'servers'> & {
    servers?: string | string[];
    peelId?: string;
    credsPath?: string;
    credentials?: Credentials;
  } = {},
): Promise<TestPeel> {
  const {
    peelId = 'web-01',
    credsPath = await server.user(peelId),
    credentials = credsPath,
    ...rest
  } = options;
  const events: ConnectionEvent[] = [];
  const nc = await connectPeel({
    servers: server.url,
    ...SHORT_WAITS,
    credentials,
    onEvent: (event) => events.push(event),
    ...rest,
    peelId,
  });
  atEnd(() => nc.close());
  return { nc, credsPath, events, statuses: collect(nc.status()) };
}

/** Collects the values of an iterator from now on. */
export function collect<T>(iterator: AsyncIterable<T>): T[] {
  const items: T[] = [];
  void (async () => {
    for await (const item of iterator) items.push(item);
  })();
  return items;
}

/** A callback that collects a value from each message. */
export function into<T>(received: T[], read: (msg: Msg) => T): MsgCallback<Msg> {
  return (_error, msg) => {
    received.push(read(msg));
  };
}

/** A plain client connection as another user, for the other side of a test. */
export async function otherSide(
  server: OperatorCredentials & { url: string },
  name = 'observer',
): Promise<NatsConnection> {
  const nc = await connect({
    ...(await server.userOptions(name)),
    servers: server.url,
    maxReconnectAttempts: -1,
    ...SHORT_WAITS,
  });
  atEnd(() => nc.close());
  return nc;
}

/** Replaces credentials by rename, like `writeCredsFile`. */
export async function replaceByRename(path: string, newPath: string): Promise<string> {
  await writeFile(`${path}.new`, await readFile(newPath), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return publicKeyOf(newPath);
}

export async function publicKeyOf(path: string): Promise<string> {
  return (await loadCredsFile(path)).publicKey;
}

/** Resolves with the first event of this type, so far or to come. */
export function event<T extends ConnectionEvent['type']>(
  peel: TestPeel,
  type: T,
  timeoutMs?: number,
): Promise<Extract<ConnectionEvent, { type: T }>> {
  return waitFor(
    `the event ${type}`,
    () => peel.events.find((e): e is Extract<ConnectionEvent, { type: T }> => e.type === type),
    timeoutMs,
  );
}

/** Resolves when the connection has emitted this many statuses of this type. */
export async function status(peel: TestPeel, type: Status['type'], count = 1): Promise<void> {
  await waitFor(
    `${count} × the status ${type}`,
    () => peel.statuses.filter((s) => s.type === type).length >= count,
  );
}

/**
 * Resolves when a message that the connection publishes comes back to it, so that it is connected and its subscriptions
 * work. NATS delivers at most once, and a connection cut by the heartbeat loses the message in flight, so it is resent.
 */
export async function works(nc: NatsConnection): Promise<void> {
  const subject = `works.${Math.random().toString(36).slice(2)}`;
  const sub = nc.subscribe(subject, { max: 1 });
  const again = setInterval(() => nc.publish(subject), 250);
  try {
    nc.publish(subject);
    for await (const _ of sub) return;
  } finally {
    clearInterval(again);
    sub.unsubscribe();
  }
}

/** The public keys of the users connected to a server, as the server reports them. */
export async function connectedUsers(system: NatsConnection): Promise<{ nkey: string; name: string }[]> {
  const answer = await system.request(
    '$SYS.REQ.SERVER.PING.CONNZ',
    JSON.stringify({ auth: true, limit: 1024 }),
    { timeout: 5_000 },
  );
  const { data } = answer.json<{
    data: { connections: { authorized_user?: string; nkey?: string; name?: string }[] };
  }>();
  return data.connections.map((c) => ({ nkey: c.nkey ?? c.authorized_user ?? '', name: c.name ?? '' }));
}
