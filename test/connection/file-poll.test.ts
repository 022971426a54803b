import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { pollFile } from '../../src/connection/file-poll.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** The calls of a listener. */
function listening(path: string) {
  const signatures: string[] = [];
  const stop = pollFile(path, (signature) => signatures.push(signature));
  stops.push(stop);
  return { signatures, stop };
}

describe('a file that is polled', () => {
  it('has another signature once it is created, written, replaced or deleted', async () => {
    const path = join(await tempDir(), 'web-1.creds');
    const { signatures } = listening(path);
    const changes = [
      () => writeFile(path, 'one'),
      () => writeFile(path, 'three'),
      async () => {
        await rm(path);
        await writeFile(path, 'seven');
      },
      () => rm(path),
    ];
    await waitFor('the first poll', () => signatures.at(-1) === 'ENOENT');
    for (const change of changes) {
      const before = signatures.at(-1);
      await change();
      await waitFor('a poll after the change', () => signatures.at(-1) !== before);
    }
    expect(signatures.at(-1)).toBe('ENOENT');
  });

  it('is polled once for all listeners, which get the same changes until each stops', async () => {
    const path = join(await tempDir(), 'web-1.creds');
    const [one, other] = [listening(path), listening(path)];
    await waitFor('two polls', () => other.signatures.length >= 2);
    expect(one.signatures).toEqual(other.signatures);
    one.stop();
    const { length } = one.signatures;
    await waitFor('another poll', () => other.signatures.length > length + 1);
    expect(one.signatures).toHaveLength(length);
  });
});
