// Signs a master's answers with the key of its credentials as they are now.
import type { CredsFile } from '../../creds/creds-file.js';
import { MessageSigner } from '../../protocol/signed.js';

/** The signer of a master's answers, of its credentials as they are now. */
export class Signers {
  #current: MessageSigner;
  readonly #endorsementsOf: (creds: CredsFile) => string | undefined;

  /** @param endorsementsOf gives the endorsements of the key that signed credentials */
  constructor(creds: CredsFile, endorsementsOf: (creds: CredsFile) => string | undefined) {
    this.#endorsementsOf = endorsementsOf;
    this.#current = new MessageSigner(creds, endorsementsOf(creds));
  }

  get current(): MessageSigner {
    return this.#current;
  }

  /** Signs with these from now on. */
  use(creds: CredsFile): void {
    // the one before may be about to sign
    if (creds.jwt !== this.#current.jwt)
      this.#current = new MessageSigner(creds, this.#endorsementsOf(creds));
  }

  close(): void {
    this.#current.wipe();
  }
}
