import { connect } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { natsOptionsForPeel } from '../../../src/connection/options.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { zester } from '../../cli/run-zester.js';
import { atEnd } from '../../support/cleanup.js';
import { watchCuts } from '../../support/cuts.js';
import { waitFor } from '../../support/wait-for.js';
import { Fleet, startFleet, startFleetCluster } from './fleet.js';
import { startHome } from '../trust/support.js';
import { tokenFile } from './peels.js';

const at = (fleet: Fleet) => ['--home', fleet.home.home, '--servers', ...fleet.servers];

async function token(fleet: Fleet): Promise<{ path: string; id: string; publicKey: string }> {
  const path = await tokenFile(fleet, await fleet.admin());
  const { publicKey } = await loadCredsFile(path);
  return { path, id: publicKey.slice(1, 13), publicKey };
}

describe('removing a join token', () => {
  it('cuts connections made with it, and every server refuses it once the command is done', async () => {
    const fleet = await startFleet();
    const { path, id, publicKey } = await token(fleet);
    const nc = await connect({ ...natsOptionsForPeel(path, 'any'), servers: fleet.servers });
    atEnd(() => nc.close());
    const { cuts } = watchCuts(nc);
    const { url } = fleet.home.node(0);
    const removed = await zester(['join-token', 'remove', id, ...at(fleet)]);
    expect(removed.code, removed.stderr).toBe(0);
    expect(await fleet.home.letsIn(path, 'any', url)).toBe(false);
    expect(cuts()).toBeGreaterThan(0);
    expect((await fleet.home.domain()).accountClaims.nats.revocations).toHaveProperty(publicKey);
    expect((await zester(['join-token', 'remove', id, ...at(fleet)])).code).toBe(0);
  });

  it.each([
    ['ten minutes', 600],
    ['ten years', 10 * 366 * 86_400],
  ])('refuses one that is not connected and dated %s ahead', async (_what, ahead) => {
    // years ahead, the admin's own credentials would have expired
    const fleet = new Fleet(await startHome({ credsLifetime: 0 }));
    const fast = await fleet.startMaster({ now: () => Date.now() + ahead * 1000 });
    const { path, id } = await token(fleet);
    await fast.stop();
    await fleet.startMaster();
    expect(await fleet.home.letsIn(path, 'any', fleet.home.node(0).url)).toBe(true);
    const removed = await zester(['join-token', 'remove', id, ...at(fleet)]);
    expect(removed.code, removed.stderr).toBe(0);
    expect(await fleet.home.letsIn(path, 'any', fleet.home.node(0).url)).toBe(false);
  });

  it('exits with 4 if a node is down, and the masters continue until that node has it too', async () => {
    const fleet = await startFleetCluster();
    await fleet.startMaster();
    const { path, id } = await token(fleet);
    await fleet.home.node(2).stop();
    // the master may have been connected to that server
    await waitFor('a master that answers', async () => {
      return (await zester(['join-token', 'list', ...at(fleet)])).code === 0;
    });
    const partly = await zester(['join-token', 'remove', id, ...at(fleet)]);
    expect(partly.code).toBe(4);
    expect(partly.stderr).toContain('some server may still accept its credentials');
    expect(await fleet.home.letsIn(path, 'any', fleet.home.node(0).url)).toBe(false);
    await fleet.home.node(2).start();
    await fleet.home.whole();
    const whole = await zester(['join-token', 'remove', id, ...at(fleet)]);
    expect(whole.code, whole.stderr).toBe(0);
    expect(await fleet.home.letsIn(path, 'any', fleet.home.node(2).url)).toBe(false);
  }, 90_000);
});
