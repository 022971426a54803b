// Finds the join token that has a public key.
import type { JoinToken } from '../../protocol/records/join-token.js';
import type { KvMirror } from '../store/kv-mirror.js';

/** An index of join tokens by their public key: each join of a new key asks, however many tokens there are. */
export class TokenKeys {
  readonly #ids = new Map<string, string>();

  constructor(tokens: Pick<KvMirror<JoinToken>, 'entries' | 'onChange'>) {
    for (const [id, { publicKey }] of tokens.entries()) this.#ids.set(publicKey, id);
    tokens.onChange((id, token, before) => {
      // a watch that lags may omit the deletion before an ID is used again, or report it after its key is
      if (before !== undefined && this.#ids.get(before.publicKey) === id) this.#ids.delete(before.publicKey);
      if (token !== undefined) this.#ids.set(token.publicKey, id);
    });
  }

  /** The ID of the join token that has, or had, this key. */
  tokenOf(publicKey: string): string | undefined {
    return this.#ids.get(publicKey);
  }
}
