// Detects changes of a credentials file, or of a provider's credentials.
import type { CredentialSource } from '../creds/credential-holder.js';
import { ProviderCredentialSource } from '../creds/provider-credential-source.js';
import { CREDENTIAL_PROVIDER_REFRESH_MS } from '../timing.js';
import { pollFile } from './file-poll.js';

/** Checks for new credentials until it is stopped. */
export interface Watcher {
  stop(): void;
}

/** @param onLook called after each check that loaded credentials; the source then holds the valid ones */
export function watchCredentials(source: CredentialSource, onLook: () => void): Watcher {
  return source instanceof ProviderCredentialSource
    ? new ProviderWatcher(source, onLook)
    : new CredentialWatcher(source, onLook);
}

/**
 * Polls a `.creds` file and reads it again when it changes: by rename, a write in place, a symlink on the way to it,
 * or delete and create. File system events would not do: they are per directory entry, get lost on network file
 * systems, and miss a symlink that changes further up (as Kubernetes secrets do). A check is one `stat`, which
 * follows all symlinks.
 */
class CredentialWatcher implements Watcher {
  readonly #source: CredentialSource;
  readonly #onLook: () => void;
  readonly #unwatch: () => void;
  #stopped = false;
  #isLoading = false;
  #last = '';
  #settling = false;

  constructor(source: CredentialSource, onLook: () => void) {
    this.#source = source;
    this.#onLook = onLook;
    this.#unwatch = pollFile(source.path, (signature) => void this.#look(signature));
  }

  stop(): void {
    this.#stopped = true;
    this.#unwatch();
  }

  async #look(signature: string): Promise<void> {
    if (this.#stopped || this.#isLoading) return;
    // A writer in place can be caught between two writes within one tick of the file system's clock; the signature
    // may then stay the same. So the file is read once more at the check after a change.
    if (signature === this.#last && !this.#settling) return;
    this.#settling = signature !== this.#last;
    this.#last = signature;
    this.#isLoading = true;
    try {
      await this.#source.refresh();
      this.#onLook();
    } finally {
      this.#isLoading = false;
    }
  }
}

/**
 * Asks a provider every `refreshMs`, and whenever its `watch` reports a change. The next wait starts when the answer
 * has arrived or timed out, so calls to a slow provider do not overlap. Waits vary by a tenth, so a fleet that
 * started at once does not ask at once.
 */
class ProviderWatcher implements Watcher {
  readonly #source: ProviderCredentialSource;
  readonly #refreshMs: number;
  readonly #unwatch: () => void;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(source: ProviderCredentialSource, onChange: () => void) {
    const { provider } = source;
    this.#source = source;
    this.#refreshMs = provider.refreshMs ?? CREDENTIAL_PROVIDER_REFRESH_MS;
    source.onChange(onChange);
    this.#unwatch = watched(() => provider.watch?.(() => void this.#look()));
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    watched(() => void this.#unwatch());
  }

  async #look(): Promise<void> {
    if (this.#stopped) return;
    await this.#source.refresh();
  }

  #schedule(): void {
    if (this.#stopped || this.#refreshMs === Infinity) return;
    const wait = Math.min(LONGEST_MS, this.#refreshMs * (0.9 + Math.random() / 5));
    this.#timer = setTimeout(() => void this.#look().finally(() => this.#schedule()), wait).unref();
  }
}

/** The longest timer that Node.js supports. */
const LONGEST_MS = 2 ** 31 - 1;

/** Starts a provider's `watch`. If it throws, only `refreshMs` remains. */
function watched(call: () => unknown): () => void {
  try {
    const stop = call();
    return typeof stop === 'function' ? (stop as () => void) : () => undefined;
  } catch {
    return () => undefined;
  }
}
