import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type * as FollowAccount from '../../../src/account/follow-account.js';
import { revoke } from '../../../src/account/revoke.js';
import { startFleet } from './fleet.js';

const { order, reached, gate } = vi.hoisted(() => {
  const signal = () => {
    let give = (): void => undefined;
    const given = new Promise<void>((resolve) => (give = resolve));
    return { give: () => give(), given };
  };
  return { order: [] as string[], reached: signal(), gate: signal() };
});

/** Blocks the change of the home until the test releases it. */
vi.mock('../../../src/account/follow-account.js', async (importActual) => {
  const actual = await importActual<typeof FollowAccount>();
  const held: Partial<typeof actual> = {
    followAccount: async (home, options) => {
      reached.give();
      await gate.given;
      const restored = await actual.followAccount(home, options);
      order.push('changed');
      return restored;
    },
  };
  return { ...actual, ...held };
});

it('a master that stops while it changes its home has stopped only when nothing writes there any longer', async () => {
  const fleet = await startFleet();
  await fleet.home.issue('web-01');
  const copy = join(fleet.home.dir, 'copy');
  await cp(fleet.home.home, copy, { recursive: true });
  await revoke(copy, { peelId: 'web-01' }, fleet.home.options);
  await reached.given;
  const stopped = fleet.master.stop().then(() => order.push('stopped'));
  gate.give();
  await stopped;
  expect(order).toEqual(['changed', 'stopped']);
});
