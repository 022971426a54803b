import type { Command } from 'commander';
import type { Issuer } from '../../creds/bulk/delivery.js';
import type { IssuePeelOptions } from '../../creds/bulk/issue-options.js';
import { UsageError } from '../../errors.js';
import { EXPIRY_FORM, parseExpiry } from '../duration.js';
import { homeOf, withHomeOption, type HomeOptions } from '../home-options.js';
import type { CliIo } from '../io.js';
import { seedPath } from '../seed-path.js';

/** The options that say who signs, and for how long. */
export interface IssuerOptions extends HomeOptions {
  accountSeed?: string;
  issuerAccount?: string;
  scoped?: boolean;
  expiry?: string;
  workers?: string;
}

/** Adds them. */
export function withIssuerOptions(command: Command): Command {
  return withHomeOption(command)
    .option(
      '--account-seed <file>',
      "instead of the home's key: the seed of an account's key, or of a signing key of it",
    )
    .option('--issuer-account <key>', 'the account (A…), when the seed is that of a signing key')
    .option('--scoped', 'the signing key is a scoped one: the permissions stand in its template')
    .option('--expiry <time>', `how long they are valid: ${EXPIRY_FORM} (default: without end)`)
    .option('--workers <n>', 'threads that make keys and signatures (default: one a core)');
}

/**
 * The issuer that options stand for.
 *
 * @throws UsageError; what opening the home or the seed's file throws
 */
export async function issuerOf(options: IssuerOptions, io: CliIo): Promise<{ issue: Issuer; close(): void }> {
  const { accountSeed, issuerAccount, scoped } = options;
  if (accountSeed === undefined && (issuerAccount !== undefined || scoped !== undefined)) {
    throw new UsageError(
      "--issuer-account and --scoped go with --account-seed: a home's own key needs neither",
    );
  }
  if (scoped === true && issuerAccount === undefined) {
    throw new UsageError('--scoped needs --issuer-account A…: the account that the signing key signs for');
  }
  const common: Omit<IssuePeelOptions, 'signer'> = {
    now: io.now,
    ...(options.expiry !== undefined && { expiry: parseExpiry(options.expiry, io.now()) }),
    ...(options.workers !== undefined && { workers: wholeNumber('--workers', options.workers, 0, 256) }),
  };
  if (accountSeed === undefined) {
    const { openTrustDomain } = await import('../../trust/open.js');
    const { issuePeelsOf } = await import('../../trust/issue-peels.js');
    const domain = await openTrustDomain(homeOf(options, io));
    (await domain.peelSigner()).wipe(); // one that is not there is told before the list is read
    return { issue: (ids, product) => issuePeelsOf(domain, ids, product, common), close: () => undefined };
  }
  const { loadKeyBundleFromFile } = await import('../../creds/load-key-bundle.js');
  const { issueBatches } = await import('../../creds/bulk/issue-batches.js');
  const signer = await loadKeyBundleFromFile('account', seedPath('--account-seed', accountSeed));
  const ofSeed = {
    ...common,
    signer,
    ...(issuerAccount !== undefined && { issuerAccount }),
    ...(scoped !== undefined && { scoped }),
  };
  return { issue: (ids, product) => issueBatches(ids, { ...ofSeed, product }), close: () => signer.wipe() };
}

/** @throws UsageError */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${option} takes a whole number from ${min} to ${max}, not "${text}"`);
}
