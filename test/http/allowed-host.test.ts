import { describe, expect, it } from 'vitest';
import { isAllowedHost } from '../../src/http/allowed-host.js';

const NAMES = ['metrics.acme', 'host-7'];

describe('a request to /metrics', () => {
  it.each([
    'localhost',
    'LocalHost:9464',
    '127.0.0.1',
    '127.0.0.1:9464',
    '10.1.2.3:9464',
    '[::1]',
    '[::1]:9464',
    '[fe80::1]:80',
    'metrics.acme:9464',
    'HOST-7',
  ])('for %s is answered', (host) => expect(isAllowedHost(host, NAMES)).toBe(true));

  it.each([
    undefined,
    '',
    'evil.example',
    'evil.example:9464',
    'localhost.evil.example',
    'localhost.',
    '127.0.0.1.evil.example',
    '127.1',
    '0x7f000001',
    '[localhost]',
    '[127.0.0.1]',
    '[::1',
    '::1',
    'localhost:9464:9464',
    'localhost:',
    'user@localhost',
    'localhost, evil.example',
    'metrics.acme.evil.example',
  ])('for %j is not', (host) => expect(isAllowedHost(host, NAMES)).toBe(false));
});
