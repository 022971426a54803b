import { describe, expect, it } from 'vitest';
import { allowedByStream, STREAM_GUARDS, unguardedStreams } from '../../src/account/stream-guards.js';

const config = (more: object) => ({ subjects: [], no_ack: false, ...more });

describe('the guards of a stream', () => {
  it('allow nothing', () => {
    expect(allowedByStream(STREAM_GUARDS)).toEqual([]);
    expect(allowedByStream({ deny_delete: true, deny_purge: true })).toEqual([]);
  });

  it('are each reported if missing', () => {
    expect(allowedByStream({ ...STREAM_GUARDS, allow_rollup_hdrs: true })).toEqual(['roll-ups']);
    expect(allowedByStream({ ...STREAM_GUARDS, deny_purge: false })).toEqual(['purging']);
    expect(allowedByStream({ ...STREAM_GUARDS, deny_delete: undefined })).toEqual(['deleting messages']);
  });
});

describe('the streams without guards', () => {
  it('are those of the fleet, each once, by name', () => {
    const open = config({ allow_rollup_hdrs: true });
    const found = unguardedStreams([
      { name: 'zester-audit', config: config({ deny_purge: true }) },
      { name: 'KV_zester-peels', config: open },
      { name: 'KV_zester-peels', config: open },
      { name: 'KV_zester-fleet', config: config(STREAM_GUARDS) },
      { name: 'orders', config: open },
    ]);
    expect(found).toEqual([
      { name: 'KV_zester-peels', allows: ['roll-ups', 'purging', 'deleting messages'] },
      { name: 'zester-audit', allows: ['deleting messages'] },
    ]);
  });

  it('include a stream if a single copy lacks them, since a server may lag', () => {
    const found = unguardedStreams([
      { name: 'KV_zester-peels', config: config(STREAM_GUARDS) },
      { name: 'KV_zester-peels', config: config({ ...STREAM_GUARDS, allow_rollup_hdrs: true }) },
    ]);
    expect(found).toEqual([{ name: 'KV_zester-peels', allows: ['roll-ups'] }]);
  });
});
