// Signs a master's answers with the key that its .creds file has now.
import { loadCredsFile } from '../../creds/parse.js';
import { MessageSigner } from '../../protocol/signed.js';
import type { MasterLogger } from '../logger.js';

/** The signer of a master's answers, as its `.creds` file has it now. */
export class Signers {
  readonly #path: string;
  #current: MessageSigner;

  private constructor(path: string, current: MessageSigner) {
    this.#path = path;
    this.#current = current;
  }

  static async open(path: string): Promise<Signers> {
    return new Signers(path, await signerIn(path));
  }

  get current(): MessageSigner {
    return this.#current;
  }

  async reload(logger: MasterLogger): Promise<void> {
    try {
      this.#current = await signerIn(this.#path);
    } catch (error) {
      logger.warn({ error: String(error) }, 'still signing with the previous credentials');
    }
  }

  close(): void {
    this.#current.wipe();
  }
}

async function signerIn(path: string): Promise<MessageSigner> {
  const creds = await loadCredsFile(path);
  try {
    return new MessageSigner(creds);
  } finally {
    creds.wipe();
  }
}
