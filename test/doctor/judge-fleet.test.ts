import { describe, expect, it } from 'vitest';
import { judgeFleet } from '../../src/doctor/judge-fleet.js';
import type { PeelKey, PeelRecord } from '../../src/protocol/records/record.js';

const NOW = 1_000_000;

function peel(id: string, state: PeelRecord['state'], key: Partial<PeelKey> = {}): PeelRecord {
  const at = new Date(0).toISOString();
  const keys: PeelKey[] = [
    { publicKey: `U${id}`, state: 'live', issuer: 'AKNOWN', issuedAt: 1, expiresAt: NOW + 60, ...key },
  ];
  return { id, state, keys, number: 1, createdAt: at, updatedAt: at };
}

const judge = (records: PeelRecord[], connected: { publicKey: string; issuer: string | undefined }[] = []) =>
  judgeFleet({ records, connected, signers: new Set(['AKNOWN']) }, NOW);

describe('of a fleet', () => {
  it('a healthy fleet has no findings, and ended peels do not count', () => {
    const ended = peel('old', 'revoked', { issuer: 'AGONE', state: 'revoked', expiresAt: 1 });
    expect(judge([peel('a', 'active'), ended])).toMatchObject([{ severity: 'ok' }]);
  });

  it('pending peels are counted, and a few named', () => {
    const records = Array.from({ length: 7 }, (_, i) => peel(`p${i}`, 'pending', { state: 'requested' }));
    expect(judge(records)).toMatchObject([
      {
        severity: 'warning',
        check: 'pending',
        message: '7 peels are pending (p0, p1, p2, p3, p4, …)',
      },
    ]);
  });

  it('finds expired credentials, and ignores those that never expire', () => {
    const never = {
      ...peel('never', 'active'),
      keys: [{ publicKey: 'U', state: 'live' as const, issuer: 'AKNOWN' }],
    };
    expect(judge([peel('late', 'active', { expiresAt: NOW }), never])).toMatchObject([
      { severity: 'warning', check: 'expired', message: expect.stringContaining('(late)') as string },
    ]);
  });

  it('a signing key that the account lacks is an error, for live credentials and for connections', () => {
    const records = [peel('a', 'active', { issuer: 'AGONE' }), peel('b', 'active')];
    const connected = [
      { publicKey: 'Ua', issuer: 'AGONE' },
      { publicKey: 'Ux', issuer: 'AGONE' },
      { publicKey: 'Ub', issuer: 'AKNOWN' },
    ];
    expect(judge(records, connected)).toMatchObject([
      {
        severity: 'error',
        check: 'signer',
        subject: 'AGONE',
        message: expect.stringContaining('2 credentials (Ux, a)') as string,
      },
    ]);
    expect(judge([peel('a', 'active', { issuer: 'AGONE', expiresAt: NOW })])).toMatchObject([
      { check: 'expired' },
    ]);
  });
});
