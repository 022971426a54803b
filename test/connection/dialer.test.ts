import { describe, expect, it } from 'vitest';
import { sameServerFirst } from '../../src/connection/dialer.js';
import { reconnectDelay, ReconnectDelays } from '../../src/connection/reconnect-delays.js';

describe('the second connection of a move', () => {
  const servers = ['nats://a:4222', 'nats://b:4222'];

  it('uses the server of the first connection', () => {
    expect(sameServerFirst({ servers }, 'b:4222')).toEqual({
      servers: ['nats://b:4222', 'nats://a:4222'],
      noRandomize: true,
    });
  });

  it('uses an announced server, over TLS if that is required', () => {
    expect(sameServerFirst({ servers }, '10.0.0.1:4222').servers).toEqual(['10.0.0.1:4222', ...servers]);
    expect(sameServerFirst({ servers, tls: {}, requireTls: true }, '10.0.0.1:4222').servers).toEqual([
      'tls://10.0.0.1:4222',
      ...servers,
    ]);
  });

  it('uses any server if the first connection has none', () => {
    expect(sameServerFirst({ servers }, '')).toEqual({ servers });
  });
});

describe('the wait before an attempt to reconnect', () => {
  it('is two seconds and a tenth by default, with TLS up to three', () => {
    expect(reconnectDelay({}, false, 0)).toBe(2_000);
    expect(reconnectDelay({}, false, 0.999)).toBe(2_100);
    expect(reconnectDelay({}, true, 0.9999)).toBe(3_000);
  });

  it('follows the options', () => {
    const options = { reconnectTimeWait: 10, reconnectJitter: 4, reconnectJitterTLS: 8 };
    expect(reconnectDelay(options, false, 0.999)).toBe(14);
    expect(reconnectDelay(options, true, 0.999)).toBe(18);
  });

  it('is skipped once when the connection is dropped on purpose', () => {
    let looks = 0;
    const delays = new ReconnectDelays(
      () => 7,
      () => (looks += 1),
    );
    delays.hurry();
    expect([delays.next(), delays.next(), delays.next()]).toEqual([0, 7, 7]);
    expect(looks).toBe(2);
  });
});
