import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectionLimit, MAX_CONNECTIONS, openFilesIn } from '../../src/nats-server/connection-limit.js';

describe('the connections that a server may accept', () => {
  it('leave it files for everything else', () => {
    expect(connectionLimit(20_000)).toBe(19_000);
    expect(connectionLimit(1_024)).toBe(512);
    expect(connectionLimit(1_000_000)).toBe(MAX_CONNECTIONS);
    expect(connectionLimit(undefined)).toBe(MAX_CONNECTIONS);
  });

  it('are always some, and always fewer than its files', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 10_000_000 }), (openFiles) => {
        expect(connectionLimit(openFiles)).toBeGreaterThan(0);
        expect(connectionLimit(openFiles)).toBeLessThan(openFiles);
      }),
    );
  });
});

describe('the limits of a process', () => {
  it('say how many files it may open, where there is a limit', () => {
    const line = (hard: string) =>
      `Limit                     Soft Limit           Hard Limit           Units     
Max processes             94801                94801                processes 
Max open files            1024                 ${hard}                files     
`;
    expect(openFilesIn(line('524288'))).toBe(524_288);
    expect(openFilesIn(line('unlimited'))).toBeUndefined();
    expect(openFilesIn('something else')).toBeUndefined();
    expect(openFilesIn(undefined)).toBeUndefined();
  });
});
