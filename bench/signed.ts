import { parseCredsData } from '../src/creds/parse.js';
import { formatCreds } from '../src/creds/format.js';
import { encodeJson } from '../src/protocol/messages.js';
import { MessageSigner, verifySigned } from '../src/protocol/signed.js';
import { createUserJwt } from '../src/jwt/user.js';
import { generateKeyBundle } from '../src/nkeys/key-bundle.js';
import { adminUserJwtOptions } from '../src/permissions/roles.js';
import { measure } from './measure.js';
import { printTimes } from './report.js';

/** What a signature on each command or record would cost: one is made by its sender, one checked by its reader. */
export async function signed(): Promise<boolean> {
  const account = generateKeyBundle('account');
  const user = generateKeyBundle('user');
  const jwt = createUserJwt(user, account, adminUserJwtOptions(account.publicKey));
  const signer = new MessageSigner(parseCredsData(formatCreds(jwt, user.seed), 'bench'));
  const data = encodeJson({ handler: 'ping', args: [] });
  const headers = signer.sign('command', data);
  const { times } = await measure(
    {
      sign: { timesPerRound: 20, run: () => void signer.sign('command', data) },
      verify: { timesPerRound: 20, run: () => void verifySigned('command', { data, headers }) },
    },
    100,
  );
  console.log(
    `signed: a command of ${data.length} bytes, with ${jwt.length} bytes of JWT (processor time of one)`,
  );
  printTimes(times);
  return true;
}
