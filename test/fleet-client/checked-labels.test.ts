import { describe, expect, it } from 'vitest';
import { requireStored } from '../../src/fleet-client/checked-labels.js';
import { refusal } from '../support/refusal.js';

describe('labels that were given to a master', () => {
  it('are stored by one that knows labels', () => {
    expect(() => requireStored({ env: 'prod' }, { env: 'prod', rack: '7' }, 'added')).not.toThrow();
    expect(() => requireStored(undefined, undefined, 'added')).not.toThrow();
  });

  it.each([undefined, {}, { env: 'test' }])('are missed in %j, by one that does not', async (stored) => {
    const { message } = await refusal('ERR_FLEET_INCOMPLETE', () =>
      requireStored({ env: 'prod' }, stored, 'web-01 was added'),
    );
    expect(message).toContain('web-01 was added, but the master is of an earlier version');
  });
});
