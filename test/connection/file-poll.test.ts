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
  const heard: string[] = [];
  const stop = pollFile(path, (signature) => heard.push(signature));
  stops.push(stop);
  return { heard, stop };
}

describe('a file that is polled', () => {
  it('has another signature once it is created, written, replaced or deleted', async () => {
    const path = join(await tempDir(), 'web-1.creds');
    const { heard } = listening(path);
    const changes = [
      () => writeFile(path, 'one'),
      () => writeFile(path, 'three'),
      async () => {
        await rm(path);
        await writeFile(path, 'seven');
      },
      () => rm(path),
    ];
    await waitFor('the first look', () => heard.at(-1) === 'ENOENT');
    for (const change of changes) {
      const before = heard.at(-1);
      await change();
      await waitFor('a look after the change', () => heard.at(-1) !== before);
    }
    expect(heard.at(-1)).toBe('ENOENT');
  });

  it('is polled once for all listeners, which get the same changes until each stops', async () => {
    const path = join(await tempDir(), 'web-1.creds');
    const [one, other] = [listening(path), listening(path)];
    await waitFor('two looks', () => other.heard.length >= 2);
    expect(one.heard).toEqual(other.heard);
    one.stop();
    const { length } = one.heard;
    await waitFor('another look', () => other.heard.length > length + 1);
    expect(one.heard).toHaveLength(length);
  });
});
