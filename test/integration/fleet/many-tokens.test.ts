// Join tokens are listed and removed, however many there are: whoever may make them cannot hide them.
import { expect, it } from 'vitest';
import { contextOf } from '../../../src/master/context-of.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import type { JoinToken } from '../../../src/protocol/records/join-token.js';
import { zester } from '../../cli/run-zester.js';
import { startFleet } from './fleet.js';

const COUNT = 6_000;

it('lists the newest of thousands of join tokens, counts the omitted ones, and removes any of them', async () => {
  const fleet = await startFleet();
  const admin = await fleet.admin();
  const { tokens } = contextOf(fleet.master);
  const { publicKey } = generateKeyBundle('user');
  const token = (i: number): JoinToken => ({
    id: `token${String(i).padStart(8, '0')}`,
    publicKey,
    createdAt: new Date(Date.now() - 86_400_000 + i * 1_000).toISOString(),
    expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    createdBy: { kind: 'admin', name: 'mallory' },
    uses: 200,
    used: 200,
    usedBy: Array.from({ length: i < 50 ? 200 : 0 }, (_, n) => ({ peelId: `p-${n}`, publicKey })),
  });
  // as a token that admins make is stored
  for (let from = 0; from < COUNT; from += 200)
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => {
        const made = token(from + i);
        return tokens.change(made.id, () => made);
      }),
    );
  const listed = await admin.ask('token.list', {});
  const { omitted = 0 } = listed;
  expect(omitted).toBeGreaterThan(0);
  expect(listed.tokens.length + omitted).toBe(COUNT);
  expect(listed.tokens[0]?.id).toBe(token(COUNT - 1).id);
  const at = ['--home', fleet.home.home, '--servers', ...fleet.servers];
  const { code, stderr } = await zester(['join-token', 'list', ...at]);
  expect([code, stderr]).toEqual([0, expect.stringContaining(`${omitted} older join tokens`)]);
  // also one that was left out
  const removed = await zester(['join-token', 'remove', token(0).id, ...at]);
  expect(removed.code, removed.stderr).toBe(0);
});
