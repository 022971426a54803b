import { describe, expect, it } from 'vitest';
import { FleetError } from '../../../src/errors.js';
import type { AuditEntry } from '../../../src/master/audit/audit-log.js';
import { removeJoinToken, TokenUses, usableToken } from '../../../src/master/registry/join-tokens.js';
import { KvMirror } from '../../../src/master/store/kv-mirror.js';
import type { PeelRecord } from '../../../src/protocol/records/record.js';
import { tokenSchema } from '../../../src/protocol/records/join-token.js';
import { keptLog } from '../../support/kept-log.js';
import { MemoryBucket } from '../../support/memory-bucket.js';
import { refusal } from '../../support/refusal.js';

const admin = { kind: 'admin', name: 'zester-admin' } as const;

async function withToken(uses: number) {
  const bucket = new MemoryBucket();
  const times = { createdAt: '2030-01-01T00:00:00.000Z', expiresAt: '2030-01-02T00:00:00.000Z' };
  bucket.set('t1', { id: 't1', publicKey: 'UTOKEN', ...times, createdBy: admin, uses, used: 0, usedBy: [] });
  const tokens = await KvMirror.open({ bucket: bucket.kv, schema: tokenSchema, logger: keptLog().logger });
  const events: AuditEntry[] = [];
  const records = new Map<string, PeelRecord>();
  const context = {
    tokens,
    registry: { refresh: (peelId: string) => Promise.resolve(records.get(peelId)) },
    audit: { note: (entry: AuditEntry) => void events.push(entry) },
    now: () => Date.parse('2030-01-01T12:00:00Z'),
  };
  const kinds = () => events.map(({ kind, peelId, detail }) => [kind, peelId, detail?.['used']]);
  return { bucket, context, kinds, records, uses: new TokenUses(context) };
}

const use = (peelId: string) => ({ tokenId: 't1', peelId, publicKey: `U${peelId}` });

describe('the uses of a join token', () => {
  it('are counted and audited, each once', async () => {
    const { uses, bucket, kinds } = await withToken(10);
    await uses.count(use('web-1'));
    await uses.count(use('web-1'));
    await uses.count(use('web-2'));
    expect(bucket.value('t1')).toMatchObject({ used: 2 });
    expect(kinds()).toEqual([
      ['token.used', 'web-1', 1],
      ['token.used', 'web-2', 2],
    ]);
  });

  it('of many hosts at once never exceed its limit', async () => {
    const { uses, bucket } = await withToken(30);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, (_, i) => uses.count(use(`web-${i}`))),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(30);
    expect(bucket.value('t1')).toMatchObject({ used: 30 });
  });

  it('are refused together when the store fails', async () => {
    const { uses, bucket } = await withToken(10);
    const full = new FleetError('ERR_FLEET_STORE', 'full');
    bucket.beforePut = () => void bucket.failures.push(full);
    await refusal('ERR_FLEET_STORE', () => uses.count(use('web-1')));
    await uses.count(use('web-1'));
    expect(bucket.value('t1')).toMatchObject({ used: 1 });
  });

  it('are returned when the join is refused, and kept when its outcome is unknown', async () => {
    const { uses, bucket, kinds } = await withToken(10);
    const fails = (code: 'ERR_FLEET_ID_TAKEN' | 'ERR_FLEET_STORE') =>
      uses.returnIfRefused(use('web-1'), () => Promise.reject(new FleetError(code, 'no')));
    await uses.count(use('web-1'));
    await refusal('ERR_FLEET_STORE', () => fails('ERR_FLEET_STORE'));
    expect(bucket.value('t1')).toMatchObject({ used: 1 });
    await refusal('ERR_FLEET_ID_TAKEN', () => fails('ERR_FLEET_ID_TAKEN'));
    expect(bucket.value('t1')).toMatchObject({ used: 0 });
    expect(kinds().at(-1)).toEqual(['token.returned', 'web-1', 0]);
  });

  it('are kept when another attempt with the same key was decided', async () => {
    const { uses, bucket, records } = await withToken(10);
    await uses.count(use('web-1'));
    const at = '2030-01-01T00:00:00.000Z';
    const key = { publicKey: 'Uweb-1', state: 'revoked', addedAt: at } as const;
    records.set('web-1', {
      ...{ id: 'web-1', state: 'rejected', number: 1, createdAt: at, updatedAt: at },
      keys: [key],
    });
    const rejected = new FleetError('ERR_FLEET_REJECTED', 'no');
    await refusal('ERR_FLEET_REJECTED', () =>
      uses.returnIfRefused(use('web-1'), () => Promise.reject(rejected)),
    );
    expect(bucket.value('t1')).toMatchObject({ used: 1 });
  });
});

describe('a removed join token', () => {
  it('cannot be used, and its removal is audited once', async () => {
    const { context, uses, kinds } = await withToken(10);
    await removeJoinToken(context, 't1', admin);
    await removeJoinToken(context, 't1', admin);
    expect(kinds()).toEqual([['token.removed', undefined, undefined]]);
    await refusal('ERR_FLEET_TOKEN_UNKNOWN', () => usableToken(context, 't1', 'web-1'));
    await refusal('ERR_FLEET_TOKEN_UNKNOWN', () => uses.count(use('web-1')));
  });

  it('is looked for in the store before it counts as unknown', async () => {
    const { context, bucket } = await withToken(10);
    const stored = bucket.value('t1');
    bucket.silence();
    bucket.set('t2', { ...(stored as object), id: 't2' });
    expect(await usableToken(context, 't2', 'web-1')).toMatchObject({ id: 't2' });
    await refusal('ERR_FLEET_TOKEN_UNKNOWN', () => usableToken(context, 't3', 'web-1'));
  });
});
