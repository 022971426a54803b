// The options that choose the signer and the lifetime of credentials.
import type { Issuer } from '../../provision/delivery.js';
import type { IssuePeelOptions } from '../../provision/issue-options.js';
import { UsageError } from '../../errors.js';
import type { HomeContext } from '../command/context.js';
import { count, given, lifetime, seedFile, text, type ValuesOf } from '../command/option.js';

/** The options for the signer: the home's peel signing key, or a seed. */
export const SIGNER_OPTIONS = {
  accountSeed: seedFile('--account-seed <file>', 'sign with this account or signing key'),
  issuerAccount: text('--issuer-account <key>', "the account (A…), with a signing key's seed"),
  scoped: given('--scoped', 'the seed belongs to a scoped signing key'),
};

/** The signer and the lifetime. */
export const ISSUER_OPTIONS = {
  ...SIGNER_OPTIONS,
  expiry: lifetime('--expiry <time>', 'lifetime, e.g. 24h, or a date (default: never)'),
  workers: count('--workers <n>', 'threads (default: one per core)', { min: 0, max: 256 }),
};

type SignerValues = ValuesOf<typeof SIGNER_OPTIONS>;
type IssuerValues = ValuesOf<typeof ISSUER_OPTIONS>;

/** @throws UsageError for conflicting signer options */
export function checkSigner({ accountSeed, issuerAccount, scoped }: SignerValues): void {
  if (accountSeed === undefined && (issuerAccount !== undefined || scoped !== undefined)) {
    throw new UsageError(
      "--issuer-account and --scoped need --account-seed: the home's own key needs neither",
    );
  }
  if (scoped === true && issuerAccount === undefined) {
    throw new UsageError('--scoped needs --issuer-account A…: the account that the signing key signs for');
  }
}

/**
 * The issuer from the options.
 *
 * @throws UsageError; errors of opening the home or the seed's file
 */
export async function issuerOf(
  values: IssuerValues,
  { io, openHome }: HomeContext,
): Promise<{ issue: Issuer; close(): void }> {
  const { accountSeed, issuerAccount, scoped, expiry, workers } = values;
  checkSigner(values);
  const common: Omit<IssuePeelOptions, 'signer'> = {
    now: io.now,
    ...(expiry !== undefined && { expiry }),
    ...(workers !== undefined && { workers }),
  };
  if (accountSeed === undefined) {
    const { issuePeelsOf } = await import('../../provision/issue-peels.js');
    const domain = await openHome();
    (await domain.peelSigner()).wipe(); // report a missing one before reading the list
    return { issue: (ids, product) => issuePeelsOf(domain, ids, product, common), close: () => undefined };
  }
  const { loadKeyBundleFromFile } = await import('../../creds/load-key-bundle.js');
  const { issueBatches } = await import('../../provision/issue-batches.js');
  const signer = await loadKeyBundleFromFile('account', accountSeed);
  const ofSeed = {
    ...common,
    signer,
    ...(issuerAccount !== undefined && { issuerAccount }),
    ...(scoped !== undefined && { scoped }),
  };
  return { issue: (ids, product) => issueBatches(ids, { ...ofSeed, product }), close: () => signer.wipe() };
}
