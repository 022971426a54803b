import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { WriteBatch } from '../../../src/cli/terminal/write-batch.js';

it('texts that are added in one turn of the event loop are one write', async () => {
  const written: string[] = [];
  const batch = new WriteBatch((text) => written.push(text));
  batch.add('a');
  await Promise.resolve();
  batch.add('b');
  await nextTurn();
  batch.add('c');
  batch.flush();
  batch.flush();
  expect(written).toEqual(['ab', 'c']);
});

it('much text is written before the turn ends', () => {
  const written: string[] = [];
  const batch = new WriteBatch((text) => written.push(text));
  for (let i = 0; i < 100; i += 1) batch.add('x'.repeat(1_000));
  expect(written.map((text) => text.length)).toEqual([66_000]);
  batch.flush();
  expect(written.join('')).toHaveLength(100_000);
});
