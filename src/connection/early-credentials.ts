// Uses credentials that arrived before they are valid as soon as they are.
import type { CredentialSource } from '../creds/credential-holder.js';
import { EARLY_CREDENTIALS_CHECK_MS } from '../timing.js';

/** Checks a source again when the credentials in it become valid, since nothing else about it changes then. */
export class EarlyCredentials {
  readonly #source: Pick<CredentialSource, 'validInMs'>;
  readonly #check: () => unknown;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param check checks the source, and then calls {@link schedule} */
  constructor(source: Pick<CredentialSource, 'validInMs'>, check: () => unknown) {
    this.#source = source;
    this.#check = check;
  }

  /** Call it after each check of the source. */
  schedule(): void {
    clearTimeout(this.#timer);
    const { validInMs } = this.#source;
    if (validInMs === undefined || this.#stopped) return;
    // the clock may be set, or the machine suspended, before the time has come
    const waitMs = Math.min(validInMs, EARLY_CREDENTIALS_CHECK_MS);
    this.#timer = setTimeout(() => this.#due(), waitMs).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #due(): void {
    const { validInMs = 0 } = this.#source;
    if (validInMs > 0) this.schedule();
    else this.#check();
  }
}
