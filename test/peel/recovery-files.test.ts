import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { RecoveryMemory, RecoveryOnDisk, type RecoveryFiles } from '../../src/peel/recovery-files.js';
import { tempDir } from '../support/temp-dir.js';

const publicKey = () => generateKeyBundle('user').publicKey;

describe.each([
  ['on disk', async () => new RecoveryOnDisk(join(await tempDir(), 'web-1.creds'))],
  ['in memory', async () => new RecoveryMemory()],
] as [string, () => Promise<RecoveryFiles>][])('the new key of a recovery, kept %s', (_where, make) => {
  it('is the same for the same old key, in a rotation too, until it is forgotten', async () => {
    const files = await make();
    const old = publicKey();
    expect(await files.pendingKeyFor(old)).toBeUndefined();
    const first = (await files.newKeyFor(old)).publicKey;
    expect((await files.newKeyFor(old)).publicKey).toBe(first);
    expect((await files.pendingKeyFor(old))?.publicKey).toBe(first);
    await files.forgetKey();
    expect(await files.pendingKeyFor(old)).toBeUndefined();
    expect((await files.newKeyFor(old)).publicKey).not.toBe(first);
  });

  it('is not that of another old key', async () => {
    const files = await make();
    const first = (await files.newKeyFor(publicKey())).publicKey;
    const other = publicKey();
    expect(await files.pendingKeyFor(other)).toBeUndefined();
    expect((await files.newKeyFor(other)).publicKey).not.toBe(first);
  });

  it('is forgotten once it is in the .creds file, and not when another key is', async () => {
    const files = await make();
    const old = publicKey();
    const first = (await files.newKeyFor(old)).publicKey;
    await files.written(old);
    expect((await files.pendingKeyFor(old))?.publicKey).toBe(first);
    await files.written(first);
    expect(await files.pendingKeyFor(old)).toBeUndefined();
  });
});

it('leaves no file behind once the new key is in the .creds file', async () => {
  const directory = await tempDir();
  const files = new RecoveryOnDisk(join(directory, 'web-1.creds'));
  const { publicKey: made } = await files.newKeyFor(publicKey());
  expect(await readdir(directory)).toEqual(['web-1.creds.recovering']);
  await files.written(made);
  expect(await readdir(directory)).toEqual([]);
});
