// Decides whether a signing key may be removed from an account.
import { TrustError } from '../../errors.js';

/** What depends on a signing key. */
export interface KeyUse {
  /** Users whose credential this key signed, and which is valid: none of them could connect without it. */
  valid: number;
  /** How many of them are connected. */
  connected: number;
}

/** What depends on it, or why that cannot be counted. */
export type CountedUse = KeyUse | { unknown: string };

/**
 * The permission to take signing keys out of an account. Whatever takes some out asks for one, so that no entry point can
 * forget to count what depends on them.
 */
export class KeyRemoval {
  /** Public keys (`A…`), and what depends on each. */
  readonly uses: ReadonlyMap<string, CountedUse>;
  readonly forced: boolean;

  private constructor(uses: ReadonlyMap<string, CountedUse>, forced: boolean) {
    this.uses = uses;
    this.forced = forced;
  }

  /**
   * Permits to remove keys that no valid credential depends on; with `force` any.
   *
   * @param home for the error
   * @throws TrustError `ERR_TRUST_SIGNING_KEY`, which names the first key that something depends on, or that cannot be counted
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
          ? `what depends on ${publicKey} cannot be counted (${use.unknown}): nothing was removed; --force removes it anyway`
          : `${useWords(publicKey, use)}: renew them first ("zester peel rotate --all", then wait for the old ones to expire); ` +
              'nothing was removed; --force cuts them off',
      );
    }
    return new KeyRemoval(uses, force);
  }

  /** @throws TrustError `ERR_TRUST_SIGNING_KEY` when there is a key that was not judged */
  require(home: string, publicKeys: readonly string[]): void {
    const other = publicKeys.find((key) => !this.uses.has(key));
    if (other === undefined) return;
    throw new TrustError(
      'ERR_TRUST_SIGNING_KEY',
      home,
      `the signing key ${other} would also be removed, but what depends on it was not counted: run this again`,
    );
  }
}

/** What depends on a signing key, in words. */
export function useWords(publicKey: string, use: CountedUse): string {
  if ('unknown' in use) return `what depends on ${publicKey} is unknown (${use.unknown})`;
  const { valid, connected } = use;
  return (
    `${valid} valid ${valid === 1 ? 'credential depends' : 'credentials depend'} on ${publicKey}, ` +
    `${connected} of them connected`
  );
}
