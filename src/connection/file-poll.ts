// Polls a file for changes: once per path, however many connections use it.
import { stat } from 'node:fs/promises';
import { CREDENTIAL_POLL_MS } from '../timing.js';

/** @param signature changes when the file is replaced, written, deleted or created */
type OnPoll = (signature: string) => void;

const polls = new Map<string, FilePoll>();

/**
 * Polls a file several times a second, and calls `onPoll` with its signature. A poll is one `stat`, which follows all
 * symlinks. Connections that share a file share its poll.
 *
 * @returns a function that stops the calls
 */
export function pollFile(path: string, onPoll: OnPoll): () => void {
  const poll = polls.get(path) ?? new FilePoll(path);
  polls.set(path, poll);
  // a new function for each call: the same one may be passed twice
  const listener: OnPoll = (signature) => onPoll(signature);
  poll.listeners.add(listener);
  return () => {
    poll.listeners.delete(listener);
    if (poll.listeners.size > 0) return;
    poll.stop();
    if (polls.get(path) === poll) polls.delete(path);
  };
}

class FilePoll {
  readonly listeners = new Set<OnPoll>();
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
    this.#timer = setTimeout(() => void this.#poll(), CREDENTIAL_POLL_MS).unref();
  }

  async #poll(): Promise<void> {
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
