import { decode, type Account, type ClaimsData, type Operator, type User } from '@nats-io/jwt';
import { createAccountJwt } from '../src/jwt/account.js';
import { validateJwtChain } from '../src/jwt/chain.js';
import { createOperatorJwt } from '../src/jwt/operator.js';
import { createUserJwt } from '../src/jwt/user.js';
import { generateKeyBundle } from '../src/nkeys/key-bundle.js';
import { peelPermissionsTemplate } from '../src/permissions/roles.js';
import { publish, subscribe } from './forty-permissions.js';
import { measure } from './measure.js';
import { printBars, printTimes } from './report.js';

/** One chain operator → account → user checked: three signatures, and who vouches for whom. */
export async function verify(): Promise<boolean> {
  const operator = generateKeyBundle('operator');
  const account = generateKeyBundle('account');
  const signingKey = generateKeyBundle('account');
  const user = generateKeyBundle('user');
  const operatorJwt = createOperatorJwt(operator, { name: 'bench' });
  const accountJwt = createAccountJwt(account, operator, {
    name: 'fleet',
    signingKeys: [{ publicKey: signingKey.publicKey, role: 'peel', permissions: peelPermissionsTemplate() }],
  });
  const explicit = createUserJwt(user, account, {
    name: 'web-server-01',
    permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
  });
  const scoped = createUserJwt(user, signingKey, {
    name: 'web-server-01',
    issuerAccount: account.publicKey,
    scoped: true,
  });

  const ours = await measure(
    {
      'zester, 40 permissions': {
        timesPerRound: 20,
        run: () => validateJwtChain(operatorJwt, accountJwt, explicit),
      },
      'zester, scoped': { timesPerRound: 20, run: () => validateJwtChain(operatorJwt, accountJwt, scoped) },
    },
    200,
  );
  const theirs = await measure(
    {
      '@nats-io/jwt, 40 permissions': {
        timesPerRound: 1,
        run: () => theirChain(operatorJwt, accountJwt, explicit),
      },
      '@nats-io/jwt, scoped': { timesPerRound: 1, run: () => theirChain(operatorJwt, accountJwt, scoped) },
    },
    60,
  );
  console.log('verify: the chain operator, account, user (processor time of one)');
  printTimes({ ...ours.times, ...theirs.times });
  return printBars(
    (['40 permissions', 'scoped'] as const).map((kind) => ({
      what: `${kind}: faster than @nats-io/jwt`,
      ratio: theirs.times[`@nats-io/jwt, ${kind}`] / ours.times[`zester, ${kind}`],
      bound: 50,
      kind: 'at least',
    })),
  );
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
