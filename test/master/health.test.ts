import { expect, it } from 'vitest';
import { healthOf } from '../../src/master/health.js';

type Health = Parameters<typeof healthOf>;

const open = { isClosed: () => false, buffered: { messages: 0, bytes: 0 } };
const closed = { ...open, isClosed: () => true };
const down = { ...open, buffered: { messages: 1, bytes: 1 } };

/** What is wrong with a master of these connections. */
function problems(nc: typeof open, answers: Partial<Record<keyof Health[1], typeof open>>, holder?: string) {
  const context = { nc, watching: () => holder } as unknown as Health[0];
  return healthOf(context, { auth: open, enroll: open, admins: open, ...answers } as unknown as Health[1])
    .problems;
}

it('is well with its connections up and a master that watches', () => {
  expect(problems(open, {}, 'm1')).toEqual([]);
});

it('names each connection that is closed or down, and reports that no master holds the lease', () => {
  expect(problems(closed, {}, 'm1')).toEqual(['the connection is closed']);
  expect(problems(down, {}, 'm1')).toEqual(['the connection is down, and is being restored']);
  expect(problems(open, { enroll: closed }, 'm1')).toEqual(['the connection for join tokens is closed']);
  expect(problems(open, { auth: closed }, undefined)).toEqual([
    'the connection for peels is closed',
    "no master follows the servers' events",
  ]);
});
