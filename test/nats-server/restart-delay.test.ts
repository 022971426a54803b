import { describe, expect, it } from 'vitest';
import { restartDelay } from '../../src/nats-server/restart-delay.js';
import { FIRST_RESTART_DELAY_MS, MAX_RESTART_DELAY_MS, STABLE_SERVER_MS } from '../../src/timing.js';

describe('the delay before a server is started again', () => {
  it('doubles up to its limit while the server does not become stable', () => {
    const delays: number[] = [];
    for (let i = 0; i < 9; i++) delays.push(restartDelay(delays.at(-1), 10));
    expect(delays.slice(0, 3)).toEqual([500, 1_000, 2_000]);
    expect(delays.at(-1)).toBe(MAX_RESTART_DELAY_MS);
  });

  it('starts over once the server was stable', () => {
    expect(restartDelay(MAX_RESTART_DELAY_MS, STABLE_SERVER_MS)).toBe(FIRST_RESTART_DELAY_MS);
    expect(restartDelay(500, STABLE_SERVER_MS - 1)).toBe(1_000);
  });
});
