import { describe, expect, it } from 'vitest';
import { columns, type Column } from '../../../src/cli/terminal/columns.js';

interface Peel {
  id: string;
  state: string;
  reason: string;
}
const SHAPE: readonly Column<Peel>[] = [
  ['ID', ({ id }) => id],
  ['STATE', ({ state }) => state],
  ['REASON', ({ reason }) => reason],
];
const peels = [
  { id: 'web-server-0001', state: 'active', reason: '' },
  { id: 'db', state: 'revoked', reason: 'the disk was stolen from the rack' },
];

describe('columns', () => {
  it('are as wide as their longest cell, and lines have no trailing blanks', () => {
    expect(columns(peels, SHAPE)).toEqual([
      'ID               STATE    REASON',
      'web-server-0001  active',
      'db               revoked  the disk was stolen from the rack',
    ]);
  });

  it('truncate the widest of them to fit a terminal, but never the first', () => {
    expect(columns(peels, SHAPE, 40)).toEqual([
      'ID               STATE    REASON',
      'web-server-0001  active',
      'db               revoked  the disk was …',
    ]);
    expect(columns(peels, SHAPE, 10)[1]).toBe('web-server-0001  active');
  });

  it('sanitize untrusted text before measuring it', () => {
    const [, line] = columns([{ id: 'a\u001b[31m\nb', state: 'x', reason: '' }], SHAPE);
    expect(line).not.toMatch(/[\u0000-\u001f]/);
  });

  it('are the headings alone if there are no items', () => {
    expect(columns([], SHAPE)).toEqual(['ID  STATE  REASON']);
  });
});
