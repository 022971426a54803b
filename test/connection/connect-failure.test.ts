import { describe, expect, it } from 'vitest';
import { firstConnectError } from '../../src/connection/connect-failure.js';
import { errorTraits } from '../../src/error-traits.js';
import { ConnectError } from '../../src/errors.js';

const named = (name: string, message: string, code?: string) =>
  Object.assign(new Error(message), { name, ...(code !== undefined && { code }) });

describe('a first connect that fails', () => {
  it.each([
    ['nobody listens', named('Error', 'connect ECONNREFUSED', 'ECONNREFUSED'), 'ERR_CONNECT_UNREACHABLE'],
    ['nobody answers', named('TimeoutError', 'timeout'), 'ERR_CONNECT_UNREACHABLE'],
    [
      'the credentials are refused',
      named('AuthorizationError', 'Authorization Violation'),
      'ERR_CONNECT_REFUSED',
    ],
    [
      'the certificate is not trusted',
      named('Error', 'x', 'SELF_SIGNED_CERT_IN_CHAIN'),
      'ERR_CONNECT_CERTIFICATE',
    ],
    [
      'the certificate is for another name',
      named('Error', 'x', 'ERR_TLS_CERT_ALTNAME_INVALID'),
      'ERR_CONNECT_CERTIFICATE',
    ],
    ['there is no TLS', named('Error', "server does not support 'tls'"), 'ERR_CONNECT_NO_TLS'],
  ])('says so where %s', (_what, cause, code) => {
    const error = firstConnectError(cause, 'nats://a:4222', 5_000);
    expect(error).toMatchObject({ code, cause });
    expect(error.message).toContain('nats://a:4222');
  });

  it('repeats no more of a listener’s message than a server sends', () => {
    // each of these words could begin a message about JSON, which was looked for up to the end
    const error = firstConnectError(named('ProtocolError', 'JSON '.repeat(50_000)), 'a', 1);
    expect(error.code).toBe('ERR_CONNECT_UNREACHABLE');
    expect(error.message.length).toBeLessThan(1_000);
  });

  it('keeps an earlier decision', () => {
    const error = new ConnectError('ERR_CONNECT_URL', 'no URL');
    expect(firstConnectError(error, 'a', 1)).toBe(error);
  });

  it('can be distinguished from transient failures', () => {
    const codes = ['URL', 'NO_SERVERS', 'NO_TLS', 'CERTIFICATE', 'TLS_FILE', 'PLAIN', 'REFUSED', 'OPTIONS'];
    expect(codes.map((code) => errorTraits(`ERR_CONNECT_${code}`)?.retryable)).toEqual(
      codes.map(() => false),
    );
    expect(errorTraits('ERR_CONNECT_UNREACHABLE')?.retryable).toBe(true);
  });
});
