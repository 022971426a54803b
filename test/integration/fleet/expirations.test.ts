import { describe, expect, it } from 'vitest';
import { zester } from '../../cli/run-zester.js';
import { contextOf } from '../../../src/master/context-of.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';

interface Listed {
  expirations: {
    what: string;
    name: string;
    path: string | null;
    expiresAt: string;
    renews: boolean | null;
  }[];
  registry: { read: boolean; code: string | null };
}

describe('zester expirations', () => {
  it('lists the peels of the registry, and which of them renew by themselves', async () => {
    const fleet = await startFleet({ lifetime: 900 });
    const admin = await fleet.admin();
    await TestPeel.start(fleet, await addCreds(fleet, admin, 'web-01'));
    await addCreds(fleet, admin, 'web-02');
    await addCreds(fleet, admin, 'web-03');
    await admin.ask('peel.revoke', { peelId: 'web-03' });
    await waitFor(
      'the presence of web-01',
      () => contextOf(fleet.master).presence.get('web-01')?.connections.length,
    );
    const at = ['--home', fleet.home.home, '--servers', ...fleet.servers];
    const list = async (...args: string[]) => {
      const { code, stdout, stderr } = await zester(['expirations', ...at, '--json', ...args]);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout) as Listed;
    };

    const { expirations, registry } = await list('--within', '1h');
    expect(registry).toMatchObject({ read: true, code: null });
    expect(expirations.map(({ what, name, renews }) => [what, name, renews])).toEqual([
      ['peel', 'web-01', true],
      ['peel', 'web-02', false],
    ]);
    const { stdout } = await zester(['expirations', ...at]);
    expect(stdout).toMatch(/ peel +web-01 .*connected: renews by itself/);
    expect(stdout).toMatch(/ peel +web-02 .*not renewing/);
    expect((await list('--offline', '--within', '1h')).expirations).toEqual([]);

    await fleet.master.stop();
    const withoutMaster = await list('--within', '1h');
    expect(withoutMaster.registry.read).toBe(true);
    expect(withoutMaster.expirations.map(({ name, renews }) => [name, renews])).toEqual([
      ['web-01', false],
      ['web-02', false],
    ]);

    await fleet.home.node(0).stop();
    const withoutServer = await list('--within', '1h');
    expect(withoutServer).toMatchObject({
      expirations: [],
      registry: { read: false, code: 'ERR_CONNECT_UNREACHABLE' },
    });
    const plain = await zester(['expirations', ...at, '--within', '1h']);
    expect(plain.code).toBe(0);
    expect(plain.stdout).toContain('nothing expires within 1h (the registry was not read)');
    expect(plain.stderr).toContain('the registry could not be read');
  });

  it('lists a credential once that is both in the home and in the registry', async () => {
    const fleet = await startFleet({ lifetime: 900 });
    const { path } = await fleet.home.issue('web-01', 600);
    await fleet.home.peel('web-01', path);
    await fleet.record('web-01', ({ state }) => state === 'pending' || state === 'active');
    await (await fleet.admin()).ask('peel.accept', { peelId: 'web-01' });
    const { stdout } = await zester([
      'expirations',
      ...['--home', fleet.home.home, '--servers', ...fleet.servers, '--json'],
    ]);
    const { expirations } = JSON.parse(stdout) as Listed;
    expect(expirations.filter(({ name }) => name === 'web-01').map(({ what }) => what)).toEqual(['peel']);
  });
});
