// Polls a credentials file, and reports when it changed.
import { stat } from 'node:fs/promises';
import type { FileCredentialSource } from '../creds/file-credential-source.js';
import { CREDENTIAL_POLL_MS } from '../timing.js';

/**
 * Watches a `.creds` file and reads it again when it changed: by rename, by a write in place, through a symlink on the
 * way to it, or by delete and create.
 *
 * It looks at the file instead of asking the system for events: those come per directory entry, are lost on network
 * file systems, and do not tell when a symlink further up changes (as Kubernetes does with secrets). A look is one
 * `stat`, which follows all symlinks.
 */
export class CredentialWatcher {
  readonly #source: FileCredentialSource;
  readonly #onLook: () => void;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #last = '';
  #settling = false;

  /** @param onLook called after each look that read the file; the source then holds what is good */
  constructor(source: FileCredentialSource, onLook: () => void, intervalMs = CREDENTIAL_POLL_MS) {
    this.#source = source;
    this.#onLook = onLook;
    this.#intervalMs = intervalMs;
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    // the connection keeps the process alive, not the look at its file
    this.#timer = setTimeout(() => void this.#look(), this.#intervalMs).unref();
  }

  async #look(): Promise<void> {
    const signature = await signatureOf(this.#source.path);
    if (this.#stopped) return;
    // A writer in place can be caught between two writes within one tick of the file system's clock, after which the
    // signature may stay the same: so the file is read once more at the look after a change.
    if (signature !== this.#last || this.#settling) {
      this.#settling = signature !== this.#last;
      this.#last = signature;
      this.#source.refresh();
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
