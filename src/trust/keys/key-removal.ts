// Decides whether a signing key may be removed from an account.
import { TrustError } from '../../errors.js';

/** The dependents of a signing key. */
export interface KeyUse {
  /** Users with a valid credential signed by this key, who could not connect without it. */
  valid: number;
  /** The number of these users that are connected. */
  connected: number;
}

/** The dependents of a signing key, or why they cannot be counted. */
export type CountedUse = KeyUse | { unknown: string };

/**
 * The permission to remove signing keys from an account. All code that removes keys requires one, so that no caller can
 * forget to count their dependents.
 */
export class KeyRemoval {
  /** Public keys (`A…`), and the dependents of each. */
  readonly uses: ReadonlyMap<string, CountedUse>;
  readonly forced: boolean;

  private constructor(uses: ReadonlyMap<string, CountedUse>, forced: boolean) {
    this.uses = uses;
    this.forced = forced;
  }

  /**
   * Permits removing keys that no valid credential depends on; with `force`, any key.
   *
   * @param home the home, for the error
   * @throws TrustError `ERR_TRUST_SIGNING_KEY`, which names the first key that has dependents, or whose dependents
   *   cannot be counted
   * @example KeyRemoval.judge(home, new Map([[publicKey, { valid: 0, connected: 0 }]]), { force: false });
   */
  static judge(
    home: string,
    uses: ReadonlyMap<string, CountedUse>,
    { force }: { force: boolean },
  ): KeyRemoval {
    const refused = [...uses].find(([, use]) => 'unknown' in use || use.valid > 0);
    if (refused !== undefined && !force) {
      const [publicKey, use] = refused;
      throw new TrustError(
        'ERR_TRUST_SIGNING_KEY',
        home,
        'unknown' in use
          ? `the credentials that depend on ${publicKey} cannot be counted (${use.unknown}): nothing was removed; --force removes it anyway`
          : `${describeUse(publicKey, use)}: renew them first ("zester peel rotate --all", then wait for the old ones to expire); ` +
              'nothing was removed; --force cuts them off',
      );
    }
    return new KeyRemoval(uses, force);
  }

  /** @throws TrustError `ERR_TRUST_SIGNING_KEY` for a key that was not checked */
  require(home: string, publicKeys: readonly string[]): void {
    const other = publicKeys.find((key) => !this.uses.has(key));
    if (other === undefined) return;
    throw new TrustError(
      'ERR_TRUST_SIGNING_KEY',
      home,
      `the signing key ${other} would also be removed, but its dependents were not counted: run this again`,
    );
  }
}

/** Describes the dependents of a signing key. */
export function describeUse(publicKey: string, use: CountedUse): string {
  if ('unknown' in use)
    return `the number of credentials that depend on ${publicKey} is unknown (${use.unknown})`;
  const { valid, connected } = use;
  return (
    `${valid} valid ${valid === 1 ? 'credential depends' : 'credentials depend'} on ${publicKey}, ` +
    `${connected} of them connected`
  );
}
