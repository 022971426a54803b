import { describe, expect, it } from 'vitest';
import { admit, afterStatus, drainStep, planRotation } from '../../src/connection/connection-state.js';

const up = { phase: 'open', up: true, held: false } as const;
const down = { ...up, up: false };

describe('a published message', () => {
  it('is sent while the connection is up, and kept in an outage or while it is moved', () => {
    expect(admit(up, 'publish')).toBe('send');
    expect(admit(down, 'publish')).toBe('keep');
    expect(admit({ ...up, held: true }, 'publish')).toBe('keep');
  });

  it('is still accepted by a draining connection, which accepts nothing else new', () => {
    const draining = { ...up, phase: 'draining' } as const;
    expect([admit(draining, 'publish'), admit(draining, 'flush')]).toEqual(['send', 'send']);
    for (const act of ['request', 'subscribe', 'drain', 'reconnect'] as const) {
      expect(admit(draining, act)).toBe('draining');
    }
  });

  it('is refused by a closed connection', () => {
    for (const act of ['publish', 'flush', 'request', 'subscribe', 'drain'] as const) {
      expect(admit({ ...up, phase: 'closed' }, act)).toBe('closed');
    }
  });
});

describe('an outage', () => {
  it('starts with the first disconnect, not with each refused attempt', () => {
    expect(afterStatus(false, 'disconnect')).toEqual({ outage: true, event: 'buffering' });
    expect(afterStatus(true, 'disconnect')).toEqual({ outage: true });
    expect(afterStatus(true, 'error')).toEqual({ outage: true });
  });

  it('ends with a reconnect, once', () => {
    expect(afterStatus(true, 'reconnect')).toEqual({ outage: false, event: 'reconnected' });
    expect(afterStatus(false, 'reconnect')).toEqual({ outage: false });
  });
});

describe('draining', () => {
  it('waits for the end of an outage while there is time, and then gives up', () => {
    expect(drainStep(down, 1)).toBe('wait');
    expect(drainStep(down, 0)).toBe('giveUp');
    expect(drainStep({ ...up, held: true }, 1)).toBe('wait');
    expect(drainStep(up, 0)).toBe('drain');
    expect(drainStep({ ...up, phase: 'closed' }, 1)).toBe('giveUp');
  });
});

describe('other credentials', () => {
  const hitless = { how: 'hitless', up: true, target: 'new', inUse: 'old' } as const;

  it('are switched to as configured, or by the pending reconnect during an outage', () => {
    expect(planRotation(hitless)).toBe('hitless');
    expect(planRotation({ ...hitless, how: 'reconnect' })).toBe('reconnect');
    expect(planRotation({ ...hitless, up: false })).toBe('reconnect');
  });

  it('are not switched to if they are already in use, or there are none', () => {
    expect(planRotation({ ...hitless, inUse: 'new' })).toBe('none');
    expect(planRotation({ ...hitless, target: undefined })).toBe('none');
  });
});
