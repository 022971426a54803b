// The options of `zester init` that adopt an existing operator or account.
import { UsageError } from '../../errors.js';
import type { AdoptedTrustFiles } from '../../trust/create/load-adopted.js';
import { seedFile, text, type ValuesOf } from '../command/option.js';

export const ADOPT_OPTIONS = {
  operatorJwt: text('--operator-jwt <file>', 'adopt this operator'),
  operatorSigningSeed: seedFile('--operator-signing-seed <file>', 'seed of a signing key of the operator'),
  operatorSeed: seedFile('--operator-seed <file>', "the operator's own seed, if not offline"),
  systemAccountJwt: text('--system-account-jwt <file>', 'its system account'),
  systemCreds: text('--system-creds <file>', 'a user of the system account'),
  systemAccountSeed: seedFile('--system-account-seed <file>', 'or the seed of that account'),
  accountJwt: text('--account-jwt <file>', 'adopt this account; signing keys are added to it'),
  accountSeed: seedFile('--account-seed <file>', 'seed of the account or a signing key of it'),
  peelSigningSeed: seedFile('--peel-signing-seed <file>', 'adopt this scoped signing key for peels'),
  joinSigningSeed: seedFile('--join-signing-seed <file>', 'adopt this scoped one for join tokens'),
};
type AdoptValues = ValuesOf<typeof ADOPT_OPTIONS>;

/** The files to adopt from; undefined: none. @throws UsageError when a required companion is missing */
export function adoptedFiles(values: AdoptValues): AdoptedTrustFiles | undefined {
  const { operatorJwt, operatorSigningSeed, systemAccountJwt } = values;
  const given = Object.entries(values).filter(([, path]) => path !== undefined);
  if (given.length === 0) return undefined;
  if (operatorJwt === undefined || operatorSigningSeed === undefined || systemAccountJwt === undefined) {
    throw new UsageError(
      `${given.map(([name]) => flagOf(name)).join(', ')}: to adopt a trust domain, also pass --operator-jwt, ` +
        '--operator-signing-seed, --system-account-jwt, and --system-creds or --system-account-seed',
    );
  }
  if ((values.systemCreds === undefined) === (values.systemAccountSeed === undefined)) {
    throw new UsageError(
      'pass either --system-creds or --system-account-seed, for a user of the system account',
    );
  }
  if (values.accountJwt !== undefined && values.accountSeed === undefined) {
    throw new UsageError('--account-jwt needs --account-seed, to sign the credentials of master and admin');
  }
  return { operatorJwt, operatorSigningSeed, systemAccountJwt, ...Object.fromEntries(given) };
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
