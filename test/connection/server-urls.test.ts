import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { planConnection } from '../../src/connection/connect-plan.js';
import { parseServerUrls, showServerUrls } from '../../src/connection/server-urls.js';
import { ConnectError } from '../../src/errors.js';

function refusal(act: () => unknown): ConnectError {
  try {
    act();
  } catch (error) {
    if (error instanceof ConnectError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('parseServerUrls', () => {
  it.each([
    ['nats://n1', ['nats://n1:4222']],
    ['n1:5222', ['nats://n1:5222']],
    ['TLS://n1:443', ['tls://n1:443']],
    ['tls://n1:80/', ['tls://n1:80']],
    ['::1', ['nats://[::1]:4222']],
    ['nats://a, tls://b:1 ,c', ['nats://a:4222', 'tls://b:1', 'nats://c:4222']],
    [
      ['a,b', 'c'],
      ['nats://a:4222', 'nats://b:4222', 'nats://c:4222'],
    ],
  ])('%j is read as %j', (given, urls) => {
    expect(parseServerUrls(given).map(({ url }) => url)).toEqual(urls);
  });

  it.each([
    'ws://n1',
    'wss://n1',
    'http://n1:4222',
    'https://n1',
    'nats://',
    'nats://a b',
    'nats://a:99999',
    'nats://a/path',
    'nats://a?x=1',
    7 as unknown as string,
    [undefined] as unknown as string[],
  ])('%j is refused', (given) => {
    expect(refusal(() => parseServerUrls(given)).code).toBe('ERR_CONNECT_URL');
  });

  it.each([[''], [' , '], [[]], [['', ',']]])('%j names no server', (given) => {
    expect(refusal(() => parseServerUrls(given)).code).toBe('ERR_CONNECT_NO_SERVERS');
  });

  it.each([
    'nats://svc:hunter2@n1',
    'svc:hunter2@n1:4222',
    'tls://hunter2@n1',
    'nats://svc:hun,hunter2@n1',
    'nats://svc:hunter2 x@n1',
    'nats://svc:hunter2%40n1',
    'nats://a,nats://svc:hunter2@n1',
    'nats://svc:hunter2',
    'nats://n1?password=hunter2',
    'wss://svc:hunter2@n1',
  ])('a password is refused and shown nowhere: %j', (given) => {
    const error = refusal(() => parseServerUrls(given));
    expect(error.code).toBe('ERR_CONNECT_URL');
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
  });
});

describe('showServerUrls', () => {
  it.each([
    ['n1, tls://n2:5', ['nats://n1:4222', 'tls://n2:5']],
    ['wss://n1.acme/path', ['wss://n1.acme:***']],
    ['nats://svc:hunter2@n1', ['***@n1']],
    ['nats://svc:hunter2,x@n1', ['***@n1']],
    ['nats://svc:hunter2', ['nats://svc:***']],
    ['nats://svc:hunter2%40n1', ['nats://svc:***']],
    ['nats://n1?password=hunter2', ['nats://n1:***']],
    ['svc:hunter2:x', ['svc:***']],
  ])('of %j shows %j', (given, shown) => {
    expect(showServerUrls(given)).toEqual(shown);
  });

  it('never turns an invalid URL into a valid one', () => {
    for (const bad of ['wss://n1', 'nats://svc:x@n1', 'nats://svc:x', 'nats://n1/path']) {
      expect(refusal(() => parseServerUrls(showServerUrls(bad))).code).toBe('ERR_CONNECT_URL');
    }
  });
});

describe('planConnection', () => {
  it('requires TLS of every server when one URL is tls://', () => {
    expect(planConnection({ servers: 'nats://a,tls://b' }).tls).toEqual({});
  });

  it('requires TLS when there are files for it, and not without', () => {
    expect(planConnection({ servers: 'a', tls: { caFile: 'x' } }).tls).toEqual({ caFile: 'x' });
    expect(planConnection({ servers: 'a' }).tls).toBeUndefined();
  });

  it('refuses a certificate without its key, and a key without its certificate', () => {
    for (const tls of [{ certFile: 'x' }, { keyFile: 'x' }]) {
      expect(refusal(() => planConnection({ servers: 'a', tls })).code).toBe('ERR_CONNECT_OPTIONS');
    }
  });

  it('refuses to turn TLS off for a tls:// URL', () => {
    expect(refusal(() => planConnection({ servers: 'tls://a', tls: null })).code).toBe('ERR_CONNECT_OPTIONS');
  });

  it('with requireTls refuses plain URLs except loopback, and ignores the servers that loopback announces', () => {
    expect(refusal(() => planConnection({ servers: 'nats://a', requireTls: true })).code).toBe(
      'ERR_CONNECT_PLAIN',
    );
    expect(planConnection({ servers: 'nats://127.0.0.1', requireTls: true })).toMatchObject({
      tls: undefined,
      ignoreClusterUpdates: true,
    });
    expect(planConnection({ servers: 'tls://a', requireTls: true }).ignoreClusterUpdates).toBe(false);
  });
});
