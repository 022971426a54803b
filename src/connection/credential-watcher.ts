// Notices that a credentials file, or what a provider gives, changed.
import { stat } from 'node:fs/promises';
import type { CredentialSource } from '../creds/credential-holder.js';
import { ProviderCredentialSource } from '../creds/provider-credential-source.js';
import { CREDENTIAL_POLL_MS, CREDENTIAL_PROVIDER_REFRESH_MS } from '../timing.js';

/** Looks for other credentials until it is stopped. */
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
 * Watches a `.creds` file and reads it again when it changed: by rename, by a write in place, through a symlink on the
 * way to it, or by delete and create.
 *
 * It looks at the file instead of asking the system for events: those come per directory entry, are lost on network
 * file systems, and do not tell when a symlink further up changes (as Kubernetes does with secrets). A look is one
 * `stat`, which follows all symlinks.
 */
class CredentialWatcher implements Watcher {
  readonly #source: CredentialSource;
  readonly #onLook: () => void;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #last = '';
  #settling = false;

  constructor(source: CredentialSource, onLook: () => void) {
    this.#source = source;
    this.#onLook = onLook;
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    // the connection keeps the process alive, not the look at its file
    this.#timer = setTimeout(() => void this.#look(), CREDENTIAL_POLL_MS).unref();
  }

  async #look(): Promise<void> {
    const signature = await signatureOf(this.#source.path);
    if (this.#stopped) return;
    // A writer in place can be caught between two writes within one tick of the file system's clock, after which the
    // signature may stay the same: so the file is read once more at the look after a change.
    if (signature !== this.#last || this.#settling) {
      this.#settling = signature !== this.#last;
      this.#last = signature;
      await this.#source.refresh();
      this.#onLook();
    }
    this.#schedule();
  }
}

async function signatureOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable';
  }
}

/**
 * Asks a provider every `refreshMs`, and when its `watch` says that there is something new. The next wait begins when an answer
 * is there, or has been waited for long enough, so that a slow provider is not asked again meanwhile. The waits differ by
 * a tenth: a fleet that started at one time does not ask at one time.
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

/** The longest timer of Node.js. */
const LONGEST_MS = 2 ** 31 - 1;

/** Calls what a provider's `watch` gives: where it throws, `refreshMs` is all there is. */
function watched(call: () => unknown): () => void {
  try {
    const stop = call();
    return typeof stop === 'function' ? (stop as () => void) : () => undefined;
  } catch {
    return () => undefined;
  }
}
