import { describe, expect, it } from 'vitest';
import { BUILT_IN_HANDLERS } from '../../src/peel/built-in-handlers.js';
import { Peel } from '../../src/peel/peel.js';
import { refusal } from '../support/refusal.js';

const options = { servers: 'nats://127.0.0.1:4222' };
const file = { kind: 'file', path: 'web-01.creds' } as const;

describe('a peel that is not connected', () => {
  it('accepts handlers, except with the name of a built-in one', () => {
    const peel = new Peel('web-01', { ...options, handlers: { uptime: () => 1 } }, file);
    const remove = peel.handle('disk', () => 'full');
    remove();
    for (const name of [...Object.keys(BUILT_IN_HANDLERS), 'no name', '']) {
      expect(() => peel.handle(name, () => 1)).toThrow(TypeError);
    }
    expect(() => new Peel('web-01', { ...options, handlers: { ping: () => 1 } }, file)).toThrow(TypeError);
  });

  it('has no connection and no credentials yet, and publishes nothing', () => {
    const peel = new Peel('web-01', options, file);
    expect(() => peel.nc).toThrow('not connected');
    expect(() => peel.credentials).toThrow('not connected');
    expect(() => peel.publish('started')).toThrow('not connected');
  });

  it('publishes only on its event subjects', async () => {
    const peel = new Peel('web-01', options, file);
    for (const event of ['*', 'a.>', 'a b', '']) await refusal('ERR_SUBJECT', () => peel.publish(event));
  });

  it('replaces no key', async () => {
    await refusal('ERR_FLEET_STATE', () => new Peel('web-01', options, file).rotate());
  });
});
