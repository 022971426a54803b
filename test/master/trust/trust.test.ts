import { join } from 'node:path';
import { expect, it } from 'vitest';
import { addOperatorSigningKey, removeOperatorSigningKey } from '../../../src/account/rotate-keys.js';
import { MasterTrust } from '../../../src/master/trust/trust.js';
import { decodeOperatorJwt } from '../../../src/jwt/decode.js';
import { createTrustDomain } from '../../../src/trust/create/create.js';
import { atEnd } from '../../support/cleanup.js';
import { keptLog } from '../../support/kept-log.js';
import { tempDir } from '../../support/temp-dir.js';

it("a master takes over a change of the operator's keys, which is in no other file of the home", async () => {
  const domain = await createTrustDomain(join(await tempDir(), 'home'));
  const added = await addOperatorSigningKey(domain.home);
  const trust = await MasterTrust.open(domain.home, keptLog().logger);
  atEnd(() => trust.close());
  const keys = () => decodeOperatorJwt(trust.domain.operatorJwt).nats.signing_keys ?? [];
  expect(keys()).toContain(added);

  await removeOperatorSigningKey(domain.home, added);
  await trust.reload();

  expect(keys()).not.toContain(added);
});
