import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jetstream, jetstreamManager, type JetStreamClient } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectPeel, type ZesterConnection } from '../../src/connection/connect.js';
import {
  consumerRead,
  kvRead,
  kvWrite,
  objectStoreRead,
  objectStoreWrite,
  streamPublish,
  streamRead,
} from '../../src/permissions/presets.js';
import type { RolePermissions } from '../../src/permissions/role-permissions.js';
import { atEnd } from '../support/cleanup.js';
import { startOperatorServer, type OperatorServer } from '../support/operator-server.js';

/** With each preset, a peel can use that feature of the client's packages, and nothing of a neighbour's. */

let server: OperatorServer;
let owner: NatsConnection;
beforeAll(async () => {
  server = await startOperatorServer();
  owner = await server.connect(await server.user('owner'));
  const kvm = new Kvm(owner);
  for (const bucket of ['config', 'secrets']) {
    const kv = await kvm.create(bucket, { history: 3 });
    for (const key of ['web-01.a', 'web-01.b', 'web-02.a', 'shared']) await kv.put(key, `${bucket} ${key}`);
  }
  const manager = await jetstreamManager(owner);
  for (const stream of ['ORDERS', 'JOBS']) {
    const name = stream.toLowerCase();
    await manager.streams.add({ name: stream, subjects: [`${name}.>`] });
    for (const peel of ['web-01', 'web-02']) {
      await jetstream(owner).publish(`${name}.${peel}.1`, peel);
      await manager.consumers.add(stream, {
        durable_name: peel,
        ack_policy: 'explicit',
        filter_subject: `${name}.${peel}.>`,
      });
    }
  }
});

async function peel(permissions?: RolePermissions): Promise<ZesterConnection> {
  const credentials = await server.bootstrap('web-01', { scoped: false, permissions });
  const nc = await connectPeel({ servers: server.url, peelId: 'web-01', credentials, watch: false });
  atEnd(() => nc.close());
  return nc;
}

async function bucket(nc: NatsConnection, name: string): Promise<KV> {
  return new Kvm(jetstream(nc, { timeout: 1_500 })).open(name, { allow_direct: true });
}

/** The operations that the server refuses, or leaves unanswered because it refused the request. */
async function refused(act: () => Promise<unknown>): Promise<void> {
  await expect(act()).rejects.toThrow(/permissions violation|timeout|no responders/i);
}

async function all<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) if (found.push(item) === count) break;
  return found;
}

describe('kvRead', () => {
  it('reads, lists and watches the peel’s own keys, and none of a neighbour’s', async () => {
    const nc = await peel({ extend: kvRead({ bucket: 'config', keys: 'web-01.>' }) });
    const kv = await bucket(nc, 'config');
    expect((await kv.get('web-01.a'))?.string()).toBe('config web-01.a');
    expect((await all(await kv.keys('web-01.>'), 2)).sort()).toEqual(['web-01.a', 'web-01.b']);
    expect(await all(await kv.history({ key: 'web-01.a' }), 1)).toHaveLength(1);
    const watch = await kv.watch({ key: 'web-01.>' });
    expect((await all(watch, 2)).map((entry) => entry.key).sort()).toEqual(['web-01.a', 'web-01.b']);

    const other = await bucket(nc, 'secrets');
    await refused(() => kv.get('web-02.a'));
    await refused(() => kv.get('shared'));
    await refused(() => other.get('web-01.a'));
    await refused(() => kv.put('web-01.a', 'x'));
    await refused(() => kv.keys());
    await refused(() => kv.watch({ key: 'web-02.>' }));
    await refused(() => other.watch({ key: 'web-01.>' }));
    // the requests that cannot be restricted to a key
    await refused(() => kv.get('web-02.a', { revision: 3 }));
    await refused(async () =>
      (await new Kvm(jetstream(nc, { timeout: 1_500 })).open('config')).get('web-02.a'),
    );
    await refused(() => kv.status());
    await refused(() => kv.destroy());
  });

  it('keeps up with more than the server sends without flow control', async () => {
    const nc = await peel({ extend: kvRead({ bucket: 'config', keys: 'web-01.>' }) });
    const kv = await new Kvm(owner).open('config', { allow_direct: true });
    const watch = await (
      await bucket(nc, 'config')
    ).watch({ key: 'web-01.many.*', include: 'updates' as never });
    const value = Buffer.alloc(10_000);
    for (let i = 0; i < 1_500; i += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, j) => kv.put(`web-01.many.${i + j}`, value)));
    }
    expect(await all(watch, 1_500)).toHaveLength(1_500);
  });

  it('without watch creates no consumer', async () => {
    const kv = await bucket(
      await peel({ extend: kvRead({ bucket: 'config', keys: 'web-01.a', watch: false }) }),
      'config',
    );
    expect((await kv.get('web-01.a'))?.string()).toBe('config web-01.a');
    await refused(() => kv.get('web-01.b'));
    await refused(() => kv.watch({ key: 'web-01.a' }));
  });

  it('reads a whole bucket where all keys are named', async () => {
    const nc = await peel({ extend: kvRead({ bucket: 'config', keys: '>' }) });
    // from the connection itself, as in the package's documentation
    const kv = await new Kvm(nc).open('config', { allow_direct: true });
    expect((await kv.get('shared'))?.string()).toBe('config shared');
    expect(await all(await kv.keys(), 4)).toHaveLength(4);
    await refused(() => kv.put('shared', 'x'));
  });
});

describe('kvWrite', () => {
  it('writes and deletes the peel’s own keys, and reads none', async () => {
    const kv = await bucket(
      await peel({ extend: kvWrite({ bucket: 'config', keys: 'web-01.w.>' }) }),
      'config',
    );
    const revision = await kv.put('web-01.w.1', 'one');
    await kv.update('web-01.w.1', 'two', revision);
    await kv.delete('web-01.w.1');
    await kv.purge('web-01.w.1');
    await kv.create('web-01.w.2', 'new');
    await refused(() => kv.put('web-01.a', 'x'));
    await refused(() => kv.put('web-02.a', 'x'));
    await refused(() => kv.get('web-01.w.1'));
    await refused(async () => (await bucket(await peel(), 'secrets')).put('web-01.w.1', 'x'));
  });

  it('with kvRead creates a key again that was deleted', async () => {
    const own = { bucket: 'config', keys: 'web-01.again' };
    const kv = await bucket(await peel({ extend: [kvRead(own), kvWrite(own)] }), 'config');
    await kv.create('web-01.again', '1');
    await kv.delete('web-01.again');
    await kv.create('web-01.again', '2');
    expect((await kv.get('web-01.again'))?.string()).toBe('2');
  });
});

describe('the presets for streams', () => {
  const limited = (nc: NatsConnection): JetStreamClient => jetstream(nc, { timeout: 1_500 });

  it('streamRead reads the subjects in order, and no others', async () => {
    const js = limited(await peel({ extend: streamRead({ stream: 'ORDERS', subjects: 'orders.web-01.>' }) }));
    const consumer = await js.consumers.getPushConsumer('ORDERS', { filter_subjects: 'orders.web-01.>' });
    const [message] = await all(await consumer.consume(), 1);
    expect(message?.string()).toBe('web-01');
    await refused(() => js.consumers.getPushConsumer('ORDERS', { filter_subjects: 'orders.web-02.>' }));
    await refused(() => js.consumers.getPushConsumer('ORDERS'));
    await refused(() => js.consumers.getPushConsumer('JOBS', { filter_subjects: 'orders.web-01.>' }));
    await refused(() => js.consumers.get('ORDERS', 'web-02'));
    await refused(() => js.publish('orders.web-01.2'));
  });

  it('consumerRead takes messages from the peel’s own consumer, and acknowledges them', async () => {
    const js = limited(await peel({ extend: consumerRead({ stream: 'JOBS', consumer: 'web-01' }) }));
    const consumer = await js.consumers.get('JOBS', 'web-01');
    const message = await consumer.next({ expires: 2_000 });
    expect(message?.string()).toBe('web-01');
    expect(await message?.ackAck({ timeout: 2_000 })).toBe(true);
    expect(await consumer.next({ expires: 1_000 })).toBeNull();
    await refused(() => js.consumers.get('JOBS', 'web-02'));
    await refused(() => js.consumers.get('ORDERS', 'web-01'));
    const manager = await js.jetstreamManager(false);
    await refused(() => manager.consumers.delete('JOBS', 'web-01'));
    await refused(() => manager.consumers.add('JOBS', { durable_name: 'web-01', ack_policy: 'explicit' }));
  });

  it('consumerRead also creates the consumer, with the filter that was granted', async () => {
    const createWith = 'jobs.web-01.>';
    const js = limited(
      await peel({ extend: consumerRead({ stream: 'JOBS', consumer: 'mine', createWith }) }),
    );
    const manager = await js.jetstreamManager(false);
    const add = (durable_name: string, filter_subject: string) =>
      manager.consumers.add('JOBS', { durable_name, filter_subject, ack_policy: 'explicit' });
    await refused(() => add('mine', 'jobs.web-02.>'));
    await refused(() => add('yours', createWith));
    await add('mine', createWith);
    expect((await (await js.consumers.get('JOBS', 'mine')).next({ expires: 2_000 }))?.string()).toBe(
      'web-01',
    );
  });

  it('streamPublish publishes to the subjects, and no others', async () => {
    const js = limited(await peel({ extend: streamPublish({ subjects: 'orders.web-01.>' }) }));
    expect((await js.publish('orders.web-01.2', 'x')).stream).toBe('ORDERS');
    await refused(() => js.publish('orders.web-02.2', 'x'));
    await refused(() => js.publish('jobs.web-01.2', 'x'));
  });
});

it('a consumer delivers on any subject, but keeps the original subject, and no stream stores the messages', async () => {
  const own = { bucket: 'config', keys: 'web-01.>' };
  const nc = await peel({ extend: [kvRead(own), kvWrite(own)] });
  const kv = await bucket(nc, 'config');
  await kv.put('web-01.sent', 'x');
  const deliveries = owner.subscribe('zester.cmd.web-02', { max: 1 });
  await owner.flush();
  const manager = await jetstreamManager(nc, { checkAPI: false });
  const filter_subject = '$KV.config.web-01.sent';
  for (const deliver_subject of ['zester.cmd.web-02', '$KV.secrets.web-02.a']) {
    const name = deliver_subject.replaceAll(/\W/g, '');
    await manager.consumers.add('KV_config', { name, deliver_subject, filter_subject, ack_policy: 'none' });
  }
  for await (const { subject, reply } of deliveries) {
    expect(subject).toBe(filter_subject);
    expect(reply).toMatch(/^\$JS\.ACK\./);
  }
  const secrets = await new Kvm(owner).open('secrets', { allow_direct: true });
  expect((await secrets.get('web-02.a'))?.string()).toBe('secrets web-02.a');
});

describe('the presets for object stores', () => {
  const program = fileURLToPath(new URL('object-store.mjs', import.meta.url));
  const use = async (path: string, ...args: string[]): Promise<{ done?: unknown; error?: string }> => {
    const name = path.includes('owner') ? 'owner' : 'web-01';
    const { stdout } = await promisify(execFile)(process.execPath, [
      program,
      server.url,
      name,
      path,
      ...args,
    ]);
    return JSON.parse(stdout) as { done?: unknown; error?: string };
  };

  it('read and write one store, and no other', async () => {
    const all = await server.user('owner');
    for (const store of ['firmware', 'uploads']) {
      expect(await use(all, store, 'create')).toEqual({ done: true });
      expect(await use(all, store, 'put', 'image', store)).toEqual({ done: 'image' });
    }
    const reader = await server.bootstrap('web-01', {
      scoped: false,
      permissions: { extend: objectStoreRead({ bucket: 'firmware' }) },
    });
    expect(await use(reader, 'firmware', 'get', 'image')).toEqual({ done: 'firmware' });
    expect(await use(reader, 'firmware', 'list')).toEqual({ done: ['image'] });
    expect(await use(reader, 'firmware', 'status')).toEqual({ done: 'firmware' });
    const denied = { error: expect.stringMatching(/permissions violation|timeout/i) as string };
    expect(await use(reader, 'firmware', 'put', 'mine', 'x')).toEqual(denied);
    expect(await use(reader, 'firmware', 'delete', 'image')).toEqual(denied);
    expect(await use(reader, 'uploads', 'get', 'image')).toEqual(denied);

    const writer = await server.bootstrap('web-01', {
      scoped: false,
      permissions: { extend: objectStoreWrite({ bucket: 'uploads' }) },
    });
    expect(await use(writer, 'uploads', 'put', 'log', '1')).toEqual({ done: 'log' });
    expect(await use(writer, 'uploads', 'put', 'log', '2')).toEqual({ done: 'log' });
    expect(await use(all, 'uploads', 'get', 'log')).toEqual({ done: '2' });
    expect(await use(writer, 'uploads', 'delete', 'log')).toEqual({ done: true });
    expect(await use(writer, 'firmware', 'put', 'log', '1')).toEqual(denied);
  }, 60_000);
});

it('a peel without presets reaches none of it', async () => {
  const nc = await peel();
  const kv = await bucket(nc, 'config');
  await refused(() => kv.get('web-01.a'));
  await refused(() => kv.put('web-01.a', 'x'));
  await refused(() => jetstream(nc, { timeout: 1_500 }).consumers.get('JOBS', 'web-01'));
});
