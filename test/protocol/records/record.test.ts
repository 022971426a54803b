import { describe, expect, it } from 'vitest';
import { needsRotation, type PeelRecord } from '../../../src/protocol/records/record.js';

const asked = '2026-01-01T00:00:10.000Z';
const record = (addedAt?: string, rotationAskedAt: string | undefined = asked) =>
  ({
    id: 'web-1',
    rotationAskedAt,
    keys: [{ publicKey: 'U1', state: 'issued', addedAt }],
  }) as unknown as PeelRecord;

describe('a requested rotation', () => {
  it('concerns a key that was there before', () => {
    expect(needsRotation(record('2026-01-01T00:00:09.999Z'), 'U1')).toBe(true);
  });

  it('does not concern the new key, also before its connection is known', () => {
    expect(needsRotation(record('2026-01-01T00:00:10.001Z'), 'U1')).toBe(false);
  });

  it('applies to a key of an earlier version whose time is unknown', () => {
    expect(needsRotation(record(undefined), 'U1')).toBe(true);
  });

  it('applies to no key if none was requested', () => {
    expect(needsRotation({ ...record('2026-01-01T00:00:00.000Z'), rotationAskedAt: undefined }, 'U1')).toBe(
      false,
    );
  });
});
