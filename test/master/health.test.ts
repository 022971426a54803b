import { expect, it } from 'vitest';
import { healthOf, type HealthConnections } from '../../src/master/health.js';

const open = { isClosed: () => false };
const closed = { isClosed: () => true };
const ALL = { nc: open, system: open, auth: open, enroll: open, admins: open };

/** The problems of a master with these connections, some of which are down. */
function problems(
  connections: Partial<typeof ALL>,
  { holder = 'm1' as string | null, down = [''], problem = undefined as string | undefined } = {},
) {
  const { nc, system, ...answers } = { ...ALL, ...connections };
  const parts = {
    nc,
    system,
    answers,
    log: { down: new Set(down) },
    serverWatch: { problem },
  } as unknown as HealthConnections;
  return healthOf({ watching: () => holder ?? undefined }, parts).problems;
}

it('is healthy with its connections up and a watching master', () => {
  expect(problems({})).toEqual([]);
});

it('names each connection that is closed or down, and reports that no master holds the lease', () => {
  expect(problems({ nc: closed })).toEqual(['the connection is closed']);
  expect(problems({}, { down: ['zester-master', 'zester-master-system'] })).toEqual([
    'the connection is down, and is being restored',
    'the connection to the system account is down, and is being restored',
  ]);
  expect(problems({ enroll: closed })).toEqual(['the connection for join tokens is closed']);
  expect(problems({ auth: closed }, { holder: null })).toEqual([
    'the connection for peels is closed',
    "no master follows the servers' events",
  ]);
});

it('says that JetStream has stopped writing on too many servers', () => {
  const problem = 'n1: JetStream has stopped writing: no space left on device';
  expect(problems({}, { problem })).toEqual([problem]);
});
