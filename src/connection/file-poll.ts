// Polls a file for changes: once per path, however many connections use it.
import { stat } from 'node:fs/promises';
import { CREDENTIAL_POLL_MS } from '../timing.js';

/** @param signature differs from the last one when the file was replaced, written, deleted or created */
type OnLook = (signature: string) => void;

const polls = new Map<string, FilePoll>();

/**
 * Calls `onLook` with the signature of a file several times a second. Each look costs one `stat`, which follows all
 * symlinks. Connections that share a file share its poll.
 *
 * @returns stops the calls
 */
export function pollFile(path: string, onLook: OnLook): () => void {
  const poll = polls.get(path) ?? new FilePoll(path);
  polls.set(path, poll);
  // a function of its own: the same one may be given twice
  const look: OnLook = (signature) => onLook(signature);
  poll.listeners.add(look);
  return () => {
    poll.listeners.delete(look);
    if (poll.listeners.size > 0) return;
    poll.stop();
    if (polls.get(path) === poll) polls.delete(path);
  };
}

class FilePoll {
  readonly listeners = new Set<OnLook>();
  readonly #path: string;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(path: string) {
    this.#path = path;
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#stopped) return;
    // the connection keeps the process alive, not the poll
    this.#timer = setTimeout(() => void this.#look(), CREDENTIAL_POLL_MS).unref();
  }

  async #look(): Promise<void> {
    const signature = await signatureOf(this.#path);
    for (const listener of [...this.listeners]) listener(signature);
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
