import { errors } from '@nats-io/nats-core';
import type { KV } from '@nats-io/kv';
import { describe, expect, it } from 'vitest';
import { Nonces } from '../../../../src/master/requests/admin/nonces.js';
import { MemoryBucket } from '../../../support/memory-bucket.js';
import { refusal } from '../../../support/refusal.js';

const request = { publicKey: 'UADMIN', nonce: 'n1' };

function storeOf(bucket: MemoryBucket): { challenges: KV } {
  return { challenges: bucket.kv as unknown as KV };
}

describe('the nonce of a signed request', () => {
  it('is accepted once by a master, whether or not it is shared with all masters', async () => {
    for (const forAllMasters of [true, false]) {
      const store = storeOf(new MemoryBucket());
      const nonces = new Nonces();
      await nonces.accept(store, request, forAllMasters);
      await refusal('ERR_FLEET_REPLAY', () => nonces.accept(store, request, forAllMasters));
    }
  });

  it('is accepted once by all masters together when the request changes something', async () => {
    const store = storeOf(new MemoryBucket());
    await new Nonces().accept(store, request, true);
    await refusal('ERR_FLEET_REPLAY', () => new Nonces().accept(store, request, true));
    await new Nonces().accept(store, { ...request, publicKey: 'UANOTHER' }, true);
  });

  it('is accepted while JetStream elects a leader', async () => {
    const bucket = new MemoryBucket();
    bucket.failures.push(new errors.TimeoutError(), new errors.RequestError('503'));
    await new Nonces().accept(storeOf(bucket), request, true);
    expect(bucket.value('nonce.UADMIN.n1')).toBeDefined();
    await refusal('ERR_FLEET_REPLAY', () => new Nonces().accept(storeOf(bucket), request, true));
  });

  it('is not mistaken for a replay when the answer to its own write was lost, and another is', async () => {
    for (const isOwn of [true, false]) {
      const bucket = new MemoryBucket();
      const store = storeOf(bucket);
      const put = store.challenges.put.bind(store.challenges);
      let first = true;
      store.challenges.put = async (key, data, options) => {
        if (!first) return put(key, data, options);
        first = false;
        await put(key, isOwn ? data : '{"by":"another master"}', options);
        throw new errors.TimeoutError();
      };
      const taken = new Nonces().accept(store, request, true);
      if (isOwn) await taken;
      else await refusal('ERR_FLEET_REPLAY', () => taken);
    }
  });
});
