import type { KV } from '@nats-io/kv';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lease } from '../../../src/master/store/lease.js';
import {
  LEASE_GIVE_UP_MS,
  LEASE_JOIN_POLL_MS,
  LEASE_LAPSE_MS,
  LEASE_QUIET_MS,
  LEASE_RENEW_INTERVAL_MS,
} from '../../../src/timing.js';
import { keptLog } from '../../support/kept-log.js';
import { MemoryBucket } from '../../support/memory-bucket.js';

const KEY = 'lease.test';

/** A bucket that can be made not to respond. */
class BusyBucket {
  readonly #bucket = new MemoryBucket();
  isSilent = false;
  /** Writes are stored, but their answers are lost. */
  losesAnswers = false;

  /** The bucket as seen by one process. */
  for(reach: { isCutOff: boolean }): KV {
    const kv = this.#bucket.kv as unknown as KV;
    const check = () => {
      if (this.isSilent || reach.isCutOff) throw new Error('timeout');
    };
    const bucket: Partial<KV> = {
      get: async (key) => {
        check();
        return kv.get(key);
      },
      put: async (key, data, options) => {
        check();
        const revision = await kv.put(key, data, options);
        if (this.losesAnswers) throw new Error('timeout');
        return revision;
      },
      delete: async (key, options) => {
        check();
        return kv.delete(key, options);
      },
    };
    return bucket as KV;
  }
}

/** A participating process. */
function participant(bucket: BusyBucket, id: string, { isOld = false } = {}) {
  const reach = { isCutOff: false };
  const connection = { server: id, cid: 1 };
  const events: string[] = [];
  const lease = new Lease({
    bucket: bucket.for(reach),
    key: KEY,
    id,
    name: id,
    logger: keptLog().logger,
    connection: () => (isOld ? undefined : connection),
    isGone: ({ server }) => Promise.resolve(ended.has(server)),
    onTaken: () => events.push('taken'),
    onLost: () => events.push('lost'),
  });
  leases.push(lease);
  return { lease, events, reach };
}

const leases: Lease[] = [];
/** The participants whose connections have ended. */
const ended = new Set<string>();
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(async () => {
  await Promise.all(leases.splice(0).map((lease) => lease.stop()));
  ended.clear();
  vi.useRealTimers();
});

describe('a lease', () => {
  it('has one holder, and passes to the next one at once when released', async () => {
    const bucket = new BusyBucket();
    const one = participant(bucket, 'one');
    await pass(LEASE_RENEW_INTERVAL_MS);
    const two = participant(bucket, 'two');
    await pass(2 * LEASE_LAPSE_MS);
    expect([one.lease.held, two.lease.held]).toEqual([true, false]);
    expect(two.lease.holder).toBe('one');
    await one.lease.stop();
    await pass(LEASE_RENEW_INTERVAL_MS);
    expect(two.lease.held).toBe(true);
    expect([one.events, two.events]).toEqual([['taken', 'lost'], ['taken']]);
  });

  it('is kept while JetStream does not respond: an overloaded server must not cost a list of all connections', async () => {
    const bucket = new BusyBucket();
    const { lease, events } = participant(bucket, 'one');
    await pass(LEASE_RENEW_INTERVAL_MS);
    bucket.isSilent = true;
    await pass(LEASE_GIVE_UP_MS - 2 * LEASE_RENEW_INTERVAL_MS);
    expect(lease.held).toBe(true);
    bucket.isSilent = false;
    await pass(2 * LEASE_RENEW_INTERVAL_MS);
    await pass(LEASE_GIVE_UP_MS);
    expect(events).toEqual(['taken']);
  });

  it('is kept when writes are stored but their answers are lost', async () => {
    const bucket = new BusyBucket();
    const { lease, events } = participant(bucket, 'one');
    await pass(LEASE_RENEW_INTERVAL_MS);
    bucket.losesAnswers = true;
    await pass(3 * LEASE_LAPSE_MS);
    bucket.losesAnswers = false;
    await pass(2 * LEASE_RENEW_INTERVAL_MS);
    expect(lease.held).toBe(true);
    expect(events).toEqual(['taken']);
  });

  it('is given up after a long time without an answer', async () => {
    const bucket = new BusyBucket();
    const { lease, events } = participant(bucket, 'one');
    await pass(LEASE_RENEW_INTERVAL_MS);
    bucket.isSilent = true;
    await pass(LEASE_GIVE_UP_MS + 2 * LEASE_RENEW_INTERVAL_MS);
    expect(lease.held).toBe(false);
    expect(events).toEqual(['taken', 'lost']);
  });

  it('goes to another process when its holder is cut off, and the holder stops as soon as it sees this', async () => {
    const bucket = new BusyBucket();
    const one = participant(bucket, 'one');
    await pass(LEASE_RENEW_INTERVAL_MS);
    const two = participant(bucket, 'two');
    await pass(LEASE_RENEW_INTERVAL_MS);
    one.reach.isCutOff = true;
    await pass(LEASE_LAPSE_MS + 2 * LEASE_RENEW_INTERVAL_MS);
    expect(two.lease.held).toBe(true);
    one.reach.isCutOff = false;
    await pass(2 * LEASE_RENEW_INTERVAL_MS);
    expect([one.lease.held, one.lease.holder, two.lease.held]).toEqual([false, 'two', true]);
    expect([one.events, two.events]).toEqual([['taken', 'lost'], ['taken']]);
  });

  it('goes to another process once its holder has missed a renewal, if its connection has ended', async () => {
    const bucket = new BusyBucket();
    const one = participant(bucket, 'one');
    await pass(LEASE_RENEW_INTERVAL_MS);
    ended.add('one');
    const two = participant(bucket, 'two');
    await pass(3 * LEASE_LAPSE_MS);
    expect(two.lease.held, 'while it is renewed').toBe(false);
    one.reach.isCutOff = true;
    await pass(LEASE_QUIET_MS + 2 * LEASE_RENEW_INTERVAL_MS);
    expect(two.lease.held).toBe(true);
  });

  it('goes to a process that starts after its holder was killed, without the wait for a lapse', async () => {
    const bucket = new BusyBucket();
    const one = participant(bucket, 'one');
    await pass(LEASE_RENEW_INTERVAL_MS);
    one.reach.isCutOff = true;
    ended.add('one');
    const two = participant(bucket, 'two');
    await pass(LEASE_QUIET_MS + 2 * LEASE_JOIN_POLL_MS);
    expect(two.lease.held).toBe(true);
  });

  it.each([
    ['its connection is open', { isOld: false }],
    ['its connection is not known: an older master wrote the entry', { isOld: true }],
  ])('is not taken before it lapses if %s', async (_why, { isOld }) => {
    const bucket = new BusyBucket();
    const one = participant(bucket, 'one', { isOld });
    await pass(LEASE_RENEW_INTERVAL_MS);
    one.reach.isCutOff = true;
    if (isOld) ended.add('one');
    const two = participant(bucket, 'two');
    await pass(LEASE_LAPSE_MS - LEASE_JOIN_POLL_MS);
    expect(two.lease.held).toBe(false);
    await pass(3 * LEASE_RENEW_INTERVAL_MS);
    expect(two.lease.held).toBe(true);
  });
});
