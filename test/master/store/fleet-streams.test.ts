import { describe, expect, it } from 'vitest';
import { fleetStreams } from '../../../src/master/store/fleet-streams.js';
import { allowedByStream } from '../../../src/account/stream-guards.js';
import { DEFAULT_REPLICAS, REPLICAS } from '../../../src/master/store/replicas.js';
import { FLEET_STREAMS } from '../../../src/permissions/names.js';

describe('the streams of a fleet', () => {
  it('match the grants of a master, each guarded, with the requested number of copies', () => {
    const streams = fleetStreams(3);
    expect(streams.map(({ name }) => name).sort()).toEqual([...FLEET_STREAMS.keys()].sort());
    for (const stream of streams) {
      expect(allowedByStream(stream)).toEqual([]);
      expect(stream.num_replicas).toBe(3);
    }
  });

  // JetStream keeps at most 5; an even number survives no more failures than one less
  it.each(REPLICAS)('can have %i copies, an odd number that JetStream accepts', (copies) => {
    expect(copies % 2).toBe(1);
    expect(copies).toBeLessThanOrEqual(5);
  });

  it('survive the loss of a server of a cluster by default, and fit a single server', () => {
    expect(DEFAULT_REPLICAS.clustered).toBeGreaterThan(1);
    expect(DEFAULT_REPLICAS.single).toBe(1);
    expect(REPLICAS).toEqual(expect.arrayContaining(Object.values(DEFAULT_REPLICAS)));
  });
});
