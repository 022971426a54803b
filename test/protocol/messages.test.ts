import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FleetError } from '../../src/errors.js';
import { matchesGlob } from '../../src/protocol/glob.js';
import {
  encodeJson,
  parseAnswer,
  parseRequest,
  refusalIn,
  refusalOf,
  requests,
  type RequestName,
} from '../../src/protocol/messages.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { expectNoSeed, refusal } from '../support/refusal.js';

const names = Object.keys(requests) as RequestName[];

describe('a request', () => {
  it('is parsed or refused, for any bytes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (name, data) => {
          try {
            parseRequest(name, data);
          } catch (error) {
            expect(error).toBeInstanceOf(FleetError);
            expect((error as FleetError).code).toBe('ERR_FLEET_REQUEST');
          }
        },
      ),
    );
  });

  it('is refused when it is larger than any has to be, before it is read', async () => {
    await refusal('ERR_FLEET_REQUEST', () => parseRequest('status', Buffer.alloc(64 * 1024 + 1, 0x20)));
  });

  it('that holds a seed where a public key belongs is refused, and the refusal does not repeat it', async () => {
    const { seed } = generateKeyBundle('user');
    const publicKey = Buffer.from(seed).toString();
    const data = encodeJson({ requestId: 'request-1', publicKey, peelId: 'web-1' });
    for (const name of ['renew', 'peel.add'] as const) {
      await refusal('ERR_FLEET_REQUEST', () => parseRequest(name, data), seed);
    }
  });

  it('accepts only a peel ID as the name of a peel', async () => {
    for (const peelId of ['*', '>', 'a.b', '', ' ', '../x', '_admin', 'x'.repeat(129), 'wеb', 'web\n']) {
      await refusal('ERR_FLEET_REQUEST', () => parseRequest('peel.accept', encodeJson({ peelId })));
    }
  });
});

describe('a refusal', () => {
  it('shows callers the public part of an error', () => {
    const error = new FleetError('ERR_FLEET_REVOKED', 'the peel "web-1" is revoked', { final: true });
    expect(refusalOf(error, { requestId: 'request-1' })).toEqual({
      error: {
        code: 'ERR_FLEET_REVOKED',
        message: 'the peel "web-1" is revoked',
        final: true,
        requestId: 'request-1',
      },
    });
  });

  it('hides the message of an unexpected error, which may contain anything', () => {
    const { seed } = generateKeyBundle('user');
    const refused = refusalOf(new Error(`cannot read ${Buffer.from(seed).toString()} of /etc/secret`));
    expect(refused.error.code).toBe('ERR_FLEET_INTERNAL');
    expect(refused.error.message).not.toContain('secret');
    expectNoSeed(refused, seed);
  });

  it('is thrown when the answer is read; an unsigned refusal is never final', async () => {
    const data = encodeJson(refusalOf(new FleetError('ERR_FLEET_REVOKED', 'it is revoked', { final: true })));
    const error = await refusal('ERR_FLEET_REVOKED', () => parseAnswer('renew', data));
    expect((error as FleetError).final).toBe(false);
    expect(refusalIn(data)).toMatchObject({ final: true });
    expect(refusalIn(encodeJson({ jwt: 'x' }))).toBeUndefined();
  });
});

describe('a malformed answer', () => {
  it('is refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.uint8Array({ maxLength: 100 }), (name, data) => {
        expect(() => parseAnswer(name, data)).toThrow(FleetError);
      }),
    );
  });
});

describe('a pattern of peel ids', () => {
  it('matches as its stars and question marks say', () => {
    expect(matchesGlob('*', 'web-1')).toBe(true);
    expect(matchesGlob('web-*', 'web-1')).toBe(true);
    expect(matchesGlob('web-?', 'web-12')).toBe(false);
    expect(matchesGlob('*-1', 'web-1-1')).toBe(true);
    expect(matchesGlob('web', 'web-1')).toBe(false);
    expect(matchesGlob('', 'web')).toBe(false);
    expect(matchesGlob('w*b*1', 'web-1')).toBe(true);
    // no regular expression: dots and brackets are what they are
    expect(matchesGlob('w.b', 'web')).toBe(false);
  });

  it('agrees with a regular expression, and is fast for a pathological pattern', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
    const id = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, id, (text, of) => {
        const expression = new RegExp(`^${text.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(matchesGlob(text, of)).toBe(expression.test(of));
      }),
    );
    expect(matchesGlob(`${'a*'.repeat(60)}b`, 'a'.repeat(128))).toBe(false);
  });
});
