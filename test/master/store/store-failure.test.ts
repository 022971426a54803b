import { JetStreamApiError, JetStreamError } from '@nats-io/jetstream';
import { jserrors } from '@nats-io/jetstream/internal';
import { errors } from '@nats-io/nats-core';
import { describe, expect, it } from 'vitest';
import { FleetError } from '../../../src/errors.js';
import { isStorageFull, storeFailureOf } from '../../../src/master/store/store-failure.js';

const api = (code: number, description: string) =>
  new JetStreamApiError({ code: 503, err_code: code, description });

describe('a failure of JetStream', () => {
  it.each([
    [10_047, 'insufficient storage resources available'],
    [10_023, 'insufficient resources'],
    [10_028, 'insufficient memory resources available'],
    [10_002, 'resource limits exceeded for account'],
    [10_077, 'maximum bytes exceeded'],
    [10_077, 'write /data/1.blk: no space left on device'],
  ])('%i "%s" means that the storage is full, also as a cause', (code, description) => {
    for (const error of [api(code, description), new Error('x', { cause: api(code, description) })]) {
      expect(isStorageFull(error)).toBe(true);
      const failure = storeFailureOf(error);
      expect(failure).toMatchObject({ code: 'ERR_FLEET_STORE' });
      expect(failure?.message).toContain('storage is full');
      expect(failure?.message).toContain(description);
    }
  });

  it('that may be transient advises to retry', () => {
    for (const error of [
      api(10_008, 'JetStream system temporarily unavailable'),
      new errors.TimeoutError(),
      new errors.RequestError('connection disconnected'),
      new errors.NoRespondersError('$KV.zester-peels.web-01'),
      new errors.ClosedConnectionError(),
      new errors.DrainingConnectionError(),
      new JetStreamError('invalid ack response'),
      // the client's error for a publish to a stream without a leader
      new jserrors.JetStreamNotEnabled('jetstream is not enabled'),
    ]) {
      expect(isStorageFull(error)).toBe(false);
      const failure = storeFailureOf(error);
      expect(failure?.code).toBe('ERR_FLEET_STORE');
      expect(failure?.message).toContain('try again');
    }
  });

  it('is not recognized in any other error', () => {
    expect(storeFailureOf(new Error('x'))).toBeUndefined();
    expect(storeFailureOf(new FleetError('ERR_FLEET_DENIED', 'no'))).toBeUndefined();
  });
});
