import { errors } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { connectFailure } from '../../src/connection/connect-failure.js';
import { moreSpecific } from '../../src/connection/specific-failure.js';

const dead = new errors.ConnectionError('connection refused');
const noTls = new errors.ConnectionError("server does not support 'tls'");
const badCertificate = Object.assign(new Error('self-signed certificate'), {
  code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
});
const refused = new errors.AuthorizationError('Authorization Violation');

describe('the failure that a list of servers reports', () => {
  it.each([
    ['no TLS', noTls, dead],
    ['a certificate', badCertificate, dead],
    ['a refusal', refused, dead],
    ['a refusal', refused, noTls],
    ['no TLS', noTls, badCertificate],
  ])('is %s, in either order', (_what, telling, other) => {
    expect(moreSpecific(telling, other)).toBe(telling);
    expect(moreSpecific(other, telling)).toBe(telling);
  });

  it('is the later of two equally telling ones, and the first if nothing failed before', () => {
    const timeout = new errors.TimeoutError();
    expect(moreSpecific(dead, timeout)).toBe(timeout);
    expect(moreSpecific(undefined, dead)).toBe(dead);
  });
});

it('a DNS lookup that timed out is reported as such', () => {
  const { kind, reason } = connectFailure(new errors.ConnectionError('x: DNS timeout'), 1);
  expect({ kind, reason }).toEqual({ kind: 'unreachable', reason: 'x: DNS timeout' });
});
