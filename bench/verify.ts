import { decode, type Account, type ClaimsData, type Operator, type User } from '@nats-io/jwt';
import { createAccountJwt } from '../src/jwt/account.js';
import { createOperatorJwt } from '../src/jwt/operator.js';
import { createUserJwt } from '../src/jwt/user.js';
import { generateKeyBundle } from '../src/nkeys/key-bundle.js';
import { BACKENDS, onEachBackend, type Backend } from './backends.js';
import { publish, subscribe } from './forty-permissions.js';
import { measure } from './measure.js';
import { printBars, printTimes, type Bar } from './report.js';

const BOUNDS: Readonly<Record<Backend, number>> = { 'node:crypto': 1.1, 'sodium-native': 1.3 };

/**
 * One chain operator → account → user checked: three signatures, and who vouches for whom. A new one has keys that were never
 * seen; a known one was checked before, and costs no signature.
 */
export async function verify(): Promise<boolean> {
  const ours = onEachBackend('./verify-on-backend.js');
  const [operator, account] = [generateKeyBundle('operator'), generateKeyBundle('account')];
  const operatorJwt = createOperatorJwt(operator, { name: 'bench' });
  const accountJwt = createAccountJwt(account, operator, { name: 'fleet' });
  const userJwt = createUserJwt(generateKeyBundle('user'), account, {
    name: 'web-server-01',
    permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
  });
  const { times: theirs } = await measure(
    { '40 permissions': { timesPerRound: 1, run: () => theirChain(operatorJwt, accountJwt, userJwt) } },
    60,
  );
  console.log('verify: the chain operator, account, user (processor time of one)');
  const bars: Bar[] = [];
  for (const backend of Object.keys(BACKENDS) as Backend[]) {
    console.log(` on ${backend}`);
    printTimes(ours[backend].times);
    for (const [kind, ratio] of Object.entries(ours[backend].ratios)) {
      const what = `${backend}, ${kind}: a new chain against three bare verifications`;
      bars.push({ what, ratio, bound: BOUNDS[backend], kind: 'at most' });
    }
  }
  console.log(' by @nats-io/jwt');
  printTimes(theirs);
  const ratio = theirs['40 permissions'] / (ours['node:crypto'].times['new chain, 40 permissions'] ?? NaN);
  bars.push({ what: '40 permissions: faster than @nats-io/jwt', ratio, bound: 30, kind: 'at least' });
  return printBars(bars);
}

/** The least of a chain check, as a user of @nats-io/jwt writes it: `decode` verifies the signatures. */
function theirChain(operatorJwt: string, accountJwt: string, userJwt: string): void {
  const operator: ClaimsData<Operator> = decode(operatorJwt);
  const account: ClaimsData<Account> = decode(accountJwt);
  const user: ClaimsData<User> = decode(userJwt);
  const signers = (account.nats.signing_keys ?? []).map((key) => (typeof key === 'string' ? key : key.key));
  const good =
    operator.iss === operator.sub &&
    account.iss === operator.sub &&
    (user.iss === account.sub || (signers.includes(user.iss) && user.nats.issuer_account === account.sub));
  if (!good) throw new Error('the chain of the bench does not hold');
}
