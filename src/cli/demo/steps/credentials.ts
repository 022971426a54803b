// Demo steps: issue a peel's credentials, and verify their chain.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadCredsFile } from '../../../creds/parse.js';
import { validateJwtChain } from '../../../jwt/chain.js';
import { lifetimeText } from '../../options/duration.js';
import { expect, PEEL_ID, type DemoStep } from '../stage.js';
import { DEFAULT_LIFETIME_SECONDS } from '../../../master/default-options.js';

/** Issues a peel's credentials, and verifies their chain. */
export const credentialSteps: readonly DemoStep[] = [
  {
    step: 'bootstrap',
    async run(stage) {
      const path = stage.credsPath.set(join(stage.home, 'creds', `${PEEL_ID}.creds`));
      await stage.domain.get().issuePeel(PEEL_ID, path, { expiry: DEFAULT_LIFETIME_SECONDS });
      const mode = (await stat(path)).mode & 0o777;
      expect(mode === 0o600, `${path} has mode ${mode.toString(8)}, and 600 was expected`);
      const creds = await loadCredsFile(path);
      return `${PEEL_ID} has the key ${creds.publicKey}, for ${lifetimeText(DEFAULT_LIFETIME_SECONDS)}, in ${path} (0600)`;
    },
  },
  {
    step: 'chain',
    async run(stage) {
      const { operatorJwt, accountJwt, publicKeys } = stage.domain.get();
      const { jwt, publicKey } = await loadCredsFile(stage.credsPath.get());
      validateJwtChain(operatorJwt, accountJwt, jwt);
      const short = (key: string) => `${key.slice(0, 8)}…`;
      return `operator ${short(publicKeys.operator)} signed account ${short(publicKeys.account)}, which signed ${short(publicKey)}`;
    },
  },
];
