import { expect, it } from 'vitest';
import { TokenKeys } from '../../../src/master/registry/token-keys.js';
import { KvMirror } from '../../../src/master/store/kv-mirror.js';
import { tokenSchema, type JoinToken } from '../../../src/protocol/records/join-token.js';
import { keptLog } from '../../support/kept-log.js';
import { MemoryBucket } from '../../support/memory-bucket.js';

const token = (id: string, publicKey: string) => ({
  id,
  publicKey,
  createdAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-01-02T00:00:00.000Z',
  createdBy: { kind: 'admin' as const, name: 'admin' },
  uses: 1,
  used: 0,
  usedBy: [],
});

it('knows the token of each key: stored before, created since, and until it is deleted', async () => {
  const bucket = new MemoryBucket();
  bucket.set('t1', token('t1', 'UKEY1'));
  const tokens = await KvMirror.open({ bucket: bucket.kv, schema: tokenSchema, logger: keptLog().logger });
  const keys = new TokenKeys(tokens);
  expect(keys.tokenOf('UKEY1')).toBe('t1');
  expect(keys.tokenOf('UKEY2')).toBeUndefined();
  await tokens.change('t2', () => token('t2', 'UKEY2'));
  expect(keys.tokenOf('UKEY2')).toBe('t2');
  // a removed token keeps its key
  await tokens.change('t2', (stored) => stored && { ...stored, removedAt: '2026-01-01T00:00:00.000Z' });
  expect(keys.tokenOf('UKEY2')).toBe('t2');
  await tokens.delete('t2');
  expect(keys.tokenOf('UKEY2')).toBeUndefined();
  expect(keys.tokenOf('UKEY1')).toBe('t1');
  tokens.close();
});

it('finds the current token after its key moves to another token, or a token ID is reused', () => {
  type Listener = Parameters<KvMirror<JoinToken>['onChange']>[0];
  let changed: Listener = () => undefined;
  const keys = new TokenKeys({
    entries: () => new Map([['t1', token('t1', 'UKEY1')]]).entries(),
    onChange: (listener) => {
      changed = listener;
      return () => undefined;
    },
  });
  // this master has read the new token of the key before its watch reports that the old one was deleted
  changed('t2', token('t2', 'UKEY1'), undefined);
  changed('t1', undefined, token('t1', 'UKEY1'));
  expect(keys.tokenOf('UKEY1')).toBe('t2');
  // a bucket keeps one revision of a key: a watch that starts again omits the deletion in between
  changed('t2', token('t2', 'UKEY2'), token('t2', 'UKEY1'));
  expect(keys.tokenOf('UKEY1')).toBeUndefined();
  expect(keys.tokenOf('UKEY2')).toBe('t2');
});
