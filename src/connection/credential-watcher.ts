// Detects changes of a credentials file, or of a provider's credentials.
import type { CredentialSource } from '../creds/credential-holder.js';
import { ProviderCredentialSource } from '../creds/provider-credential-source.js';
import { CREDENTIAL_PROVIDER_REFRESH_MS } from '../timing.js';
import { EarlyCredentials } from './early-credentials.js';
import { pollFile } from './file-poll.js';

/** Checks for new credentials until it is stopped. */
export interface Watcher {
  stop(): void;
}

/** @param onRefresh called after each check of the source, which then holds the valid credentials */
export function watchCredentials(source: CredentialSource, onRefresh: () => void): Watcher {
  const early = new EarlyCredentials(source, async () => {
    await source.refresh();
    refreshed();
  });
  const refreshed = () => {
    onRefresh();
    early.schedule();
  };
  const watcher =
    source instanceof ProviderCredentialSource
      ? new ProviderWatcher(source, refreshed)
      : new CredentialWatcher(source, refreshed);
  return {
    stop: () => {
      early.stop();
      watcher.stop();
    },
  };
}

/**
 * Polls a `.creds` file and reads it again when it changes: by a rename, a write in place, a symlink in its path, or a
 * delete and create. File system events are not enough: they are per directory entry, get lost on network file systems,
 * and miss changed symlinks further up in the path (as in Kubernetes secrets). A check is one `stat`, which follows all
 * symlinks.
 */
class CredentialWatcher implements Watcher {
  readonly #source: CredentialSource;
  readonly #onRefresh: () => void;
  readonly #unwatch: () => void;
  #stopped = false;
  #isLoading = false;
  #last = '';
  #settling = false;

  constructor(source: CredentialSource, onRefresh: () => void) {
    this.#source = source;
    this.#onRefresh = onRefresh;
    this.#unwatch = pollFile(source.path, (signature) => void this.#refresh(signature));
  }

  stop(): void {
    this.#stopped = true;
    this.#unwatch();
  }

  async #refresh(signature: string): Promise<void> {
    if (this.#stopped || this.#isLoading) return;
    // Two writes in place within one tick of the file system's clock may have the same signature. So the file is read
    // once more at the poll after a change.
    if (signature === this.#last && !this.#settling) return;
    this.#settling = signature !== this.#last;
    this.#last = signature;
    this.#isLoading = true;
    try {
      await this.#source.refresh();
      this.#onRefresh();
    } finally {
      this.#isLoading = false;
    }
  }
}

/**
 * Loads from a provider every `refreshMs`, and whenever its `watch` reports a change. The next interval starts when the
 * load has ended or timed out, so loads from a slow provider do not overlap. A jitter of a tenth spreads the loads of a
 * fleet that started all at once.
 */
class ProviderWatcher implements Watcher {
  readonly #source: ProviderCredentialSource;
  readonly #refreshMs: number;
  readonly #unwatch: () => void;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(source: ProviderCredentialSource, onRefresh: () => void) {
    const { provider } = source;
    this.#source = source;
    this.#refreshMs = provider.refreshMs ?? CREDENTIAL_PROVIDER_REFRESH_MS;
    source.onLoad(onRefresh);
    this.#unwatch = watched(() => provider.watch?.(() => void this.#refresh()));
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    watched(() => void this.#unwatch());
  }

  async #refresh(): Promise<void> {
    if (this.#stopped) return;
    await this.#source.refresh();
  }

  #schedule(): void {
    if (this.#stopped || this.#refreshMs === Infinity) return;
    const wait = Math.min(LONGEST_MS, this.#refreshMs * (0.9 + Math.random() / 5));
    this.#timer = setTimeout(() => void this.#refresh().finally(() => this.#schedule()), wait).unref();
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
