import type { JoinToken } from '../../src/protocol/records/join-token.js';

/** An unused join token of the owner for one peel, for a minute. */
export function joinToken(fields: Partial<JoinToken> = {}): JoinToken {
  return {
    id: 'abcdefgh12',
    publicKey: '',
    createdAt: new Date().toISOString(),
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
    createdBy: { kind: 'admin', name: 'zester-admin' },
    uses: 1,
    used: 0,
    usedBy: [],
    ...fields,
  };
}
