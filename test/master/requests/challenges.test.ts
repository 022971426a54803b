import { describe, expect, it, vi } from 'vitest';
import { Challenges } from '../../../src/master/requests/challenges.js';
import { MemoryBucket } from '../../support/memory-bucket.js';
import { refusal } from '../../support/refusal.js';

const web01 = { user: 'join.t1', peelId: 'web-01', publicKey: 'UKEY1' };

/** Two masters that share a bucket. */
function masters() {
  const bucket = new MemoryBucket();
  const reads = vi.spyOn({ get: bucket.kv.get }, 'get');
  const kv = { put: bucket.kv.put, get: reads };
  return { bucket, reads, one: new Challenges(kv), other: new Challenges(kv) };
}

const refused = (redeem: Promise<void>) => refusal('ERR_FLEET_CHALLENGE', () => redeem);

describe('a challenge', () => {
  it('is redeemed by the master that issued it without a read, and by another', async () => {
    const { one, other, reads } = masters();
    await one.redeem(await one.issue(web01), web01, 'r1');
    expect(reads).not.toHaveBeenCalled();
    await other.redeem(await one.issue(web01), web01, 'r2');
    expect(reads).toHaveBeenCalledTimes(1);
  });

  it('is redeemed once, but again for a retry of the same request, at any master', async () => {
    const { one, other } = masters();
    const challenge = await one.issue(web01);
    await one.redeem(challenge, web01, 'r1');
    for (const master of [one, other]) {
      await master.redeem(challenge, web01, 'r1');
      await refused(master.redeem(challenge, web01, 'r2'));
    }
  });

  it('is not redeemed by its master once another has redeemed it', async () => {
    const { one, other } = masters();
    const challenge = await one.issue(web01);
    await other.redeem(challenge, web01, 'r1');
    await refused(one.redeem(challenge, web01, 'r2'));
    await one.redeem(challenge, web01, 'r1');
  });

  it.each([
    ['another user', { ...web01, user: 'join.t2' }],
    ['another peel', { ...web01, peelId: 'web-02' }],
    ['another key', { ...web01, publicKey: 'UKEY2' }],
  ])('is not redeemed for %s, and not used by the attempt', async (_, caller) => {
    const { one, other } = masters();
    for (const master of [one, other]) {
      const challenge = await one.issue(web01);
      await refused(master.redeem(challenge, caller, 'r1'));
      await refused(master.redeem(challenge, caller, 'r1'));
      await master.redeem(challenge, web01, 'r2');
      await refused(master.redeem(challenge, caller, 'r2'));
    }
  });

  it('is refused once the bucket has deleted it, and if no master issued it', async () => {
    const { one, bucket } = masters();
    const challenge = await one.issue(web01);
    await bucket.kv.delete(`challenge.${challenge}`);
    await refused(one.redeem(challenge, web01, 'r1'));
    await refused(one.redeem('x'.repeat(43), web01, 'r1'));
  });

  it('is redeemed although its master has issued thousands since', async () => {
    const { one } = masters();
    const challenge = await one.issue(web01);
    for (let i = 0; i < 5_000; i += 1) await one.issue({ ...web01, peelId: `web-${i}` });
    await one.redeem(challenge, web01, 'r1');
  });
});
