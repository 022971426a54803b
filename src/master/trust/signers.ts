// Signs a master's answers with its current credentials.
import type { CredsFile } from '../../creds/creds-file.js';
import { MessageSigner } from '../../protocol/signed.js';

/** The signer of a master's answers, from its current credentials. */
export class Signers {
  #current: MessageSigner;
  readonly #endorsementsOf: (creds: CredsFile) => string | undefined;

  /** @param endorsementsOf returns the endorsements of the key that signed credentials */
  constructor(creds: CredsFile, endorsementsOf: (creds: CredsFile) => string | undefined) {
    this.#endorsementsOf = endorsementsOf;
    this.#current = new MessageSigner(creds, endorsementsOf(creds));
  }

  get current(): MessageSigner {
    return this.#current;
  }

  /** Switches to these credentials. */
  use(creds: CredsFile): void {
    // the previous signer may still be in use
    if (creds.jwt !== this.#current.jwt)
      this.#current = new MessageSigner(creds, this.#endorsementsOf(creds));
  }

  close(): void {
    this.#current.wipe();
  }
}
