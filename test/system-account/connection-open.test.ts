import { describe, expect, it } from 'vitest';
import { isConnectionOpen } from '../../src/system-account/connection-open.js';
import { startHome } from '../integration/trust/support.js';
import { waitFor } from '../support/wait-for.js';

describe('whether a connection is open', () => {
  it('is what its server says, before and after it ends', async () => {
    const fleet = await startHome();
    const [asking, other] = [await fleet.system(), await fleet.system()];
    const { server_id: server = '', client_id: cid = 0 } = other.info ?? {};
    expect(await isConnectionOpen(asking, { server, cid })).toBe(true);
    await other.close();
    await waitFor(
      'the server to notice',
      async () => (await isConnectionOpen(asking, { server, cid })) === false,
    );
  });

  it('is unknown if the server does not answer', async () => {
    const fleet = await startHome();
    const nc = await fleet.system();
    expect(await isConnectionOpen(nc, { server: `N${'A'.repeat(55)}`, cid: 1 })).toBeUndefined();
  });
});
