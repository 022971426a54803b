import { describe, expect, it } from 'vitest';
import { MAX_LINE_BYTES, readServerInfo } from '../../src/connection/server-info.js';

const info = { server_id: 'N', version: '2.11.0', headers: true, max_payload: 1024, proto: 1, nonce: 'a' };

describe('the INFO of a server', () => {
  it('is read as a server writes it, with fields of later versions', () => {
    for (const version of ['2.10.27', '2.15.1', '2.12.0-dev']) {
      const line = {
        ...info,
        version,
        connect_urls: ['10.0.0.1:4222', '[::1]:4222'],
        xkey: 'X',
        later: { a: 1 },
      };
      expect(readServerInfo(JSON.stringify(line))).toEqual(line);
    }
    expect(readServerInfo('{"version":"2.10.0"}')).toEqual({ version: '2.10.0' });
  });

  it.each([
    'null',
    '1',
    '"x"',
    '[]',
    '{',
    '',
    '{}',
    '{"version":7}',
    '{"version":"latest"}',
    ...Object.entries({
      server_id: [],
      nonce: { a: 1 },
      headers: 'no',
      max_payload: '1',
      tls_required: 'yes',
      ldm: 1,
      connect_urls: 5,
    }).map(([name, value]) => JSON.stringify({ ...info, [name]: value })),
    JSON.stringify({ ...info, connect_urls: ['a:1', 7] }),
    JSON.stringify({ ...info, nonce: null }),
  ])('is refused if it is not from a server: %s', (json) => {
    expect(() => readServerInfo(json)).toThrow('unexpected response from server');
  });

  it('may list a thousand servers', () => {
    const connect_urls = Array.from({ length: 1_000 }, (_, i) => `nats-${i}.eu-central-1.example.org:4222`);
    expect(JSON.stringify({ ...info, connect_urls }).length).toBeLessThan(MAX_LINE_BYTES);
  });
});
