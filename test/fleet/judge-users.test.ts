import { describe, expect, it } from 'vitest';
import { judgeUsers } from '../../src/doctor/integrity/judge-users.js';

describe('a connected user', () => {
  it('is found once if its key is revoked or unknown', () => {
    const user = (publicKey: string) => ({
      publicKey,
      name: 'web-01',
      server: 'N1',
      cid: 1,
      host: '10.0.0.1',
    });
    const findings = judgeUsers(
      [user('UISSUED'), user('UREVOKED'), user('UREVOKED'), user('USTRANGER')] as never,
      (key) => (key === 'UISSUED' ? 'issued' : key === 'UREVOKED' ? 'revoked' : undefined),
    );
    expect(
      findings.map(({ subject, message }) => [subject, /revoked key|never issued/.exec(message)?.[0]]),
    ).toEqual([
      ['UREVOKED', 'revoked key'],
      ['USTRANGER', 'never issued'],
    ]);
  });
});
