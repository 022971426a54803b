import { describe, expect, it } from 'vitest';
import { isMasterName, labelOf, withLabel } from '../../src/permissions/master-label.js';

const USER = `U${'A'.repeat(55)}`;
const OTHER = `U${'B'.repeat(55)}`;

describe('the label of a signing key', () => {
  it.each([
    { name: 'host-b', users: [] },
    { name: 'b', users: [USER] },
    { name: 'a'.repeat(40), users: [USER, OTHER] },
  ])('is read as it was written: $name', (label) => {
    const description = withLabel('what every peel (of all) may do', label);
    expect(labelOf(description)).toEqual(label);
    // what another tool or "zester keys add" copies keeps one label
    expect(withLabel(description, { name: 'c', users: [] })).toBe(
      'what every peel (of all) may do (master c)',
    );
  });

  it.each([
    undefined,
    '',
    'what every peel may do',
    '(master Host)',
    'x (master b',
    'x (master b: Unothing)',
  ])('is not found in %j', (description) => expect(labelOf(description)).toBeUndefined());
});

it.each(['', 'A', 'a b', '-a', 'a-', 'a'.repeat(41), 'ä', 'a\nb', 'a.b'])('refuses %j as a name', (name) =>
  expect(isMasterName(name)).toBe(false),
);
