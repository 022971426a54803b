// MemoryCredentials: credentials that a program holds in memory and replaces itself.
import { redactSeeds } from '../errors.js';
import type { CredentialProvider, ProvidedCredentials } from './credential-provider.js';
import { CredsFile } from './creds-file.js';
import { parseCredsData } from './parse.js';

/**
 * Credentials in memory, for a program that gets them from elsewhere. Every connection that uses this object switches
 * to new credentials as soon as they are {@link MemoryCredentials.set | set}. A peel renews them; the renewed ones are
 * in {@link MemoryCredentials.current}.
 *
 * @example
 * import { readFile } from 'node:fs/promises';
 * import { connectPeel, MemoryCredentials } from 'zester';
 *
 * const fetchSecret = () => readFile('web-01.creds'); // or from a secrets manager
 * const credentials = new MemoryCredentials(await fetchSecret(), 'the secret web-01');
 * const nc = await connectPeel({
 *   servers: process.env.NATS_URL,
 *   peelId: 'web-01',
 *   credentials,
 *   rotate: 'hitless',
 * });
 * credentials.set(await fetchSecret()); // whenever the secret has changed
 * await nc.drain(); // when the program ends
 */
export class MemoryCredentials implements CredentialProvider, Disposable {
  readonly name: string;
  /** No polling: {@link set} reports changes. */
  readonly refreshMs = Infinity;
  #current: CredsFile;
  readonly #listeners = new Set<() => void>();

  /**
   * @param initial parsed credentials, or the content of a `.creds` file
   * @param name their name in events and errors; not a secret
   * @throws CredsError
   */
  constructor(initial: ProvidedCredentials, name?: string);
  /** The same, with an options object. */
  constructor(credentials: { initial: ProvidedCredentials; name?: string | undefined });
  constructor(
    first: ProvidedCredentials | { initial: ProvidedCredentials; name?: string | undefined },
    second?: string,
  ) {
    const isNamed = typeof first === 'object' && first !== null && 'initial' in first;
    const { initial, name = 'the credentials in memory' } = isNamed
      ? first
      : { initial: first, name: second };
    this.name = redactSeeds(name);
    this.#current = this.#parse(initial);
  }

  /** The current credentials, as set or renewed. */
  get current(): CredsFile {
    return this.#current;
  }

  /** Wipes the seed: connections that use it can no longer authenticate. */
  [Symbol.dispose](): void {
    this.#current.wipe();
  }

  /** Replaces the credentials. @throws CredsError, in which case nothing is replaced */
  set(next: ProvidedCredentials): void {
    this.#current = this.#parse(next);
    for (const changed of this.#listeners) changed();
  }

  readonly load = (): CredsFile => this.#current;

  readonly store = (content: Uint8Array): void => this.set(content);

  readonly watch = (changed: () => void): (() => void) => {
    // a new listener for each call: the same function may be passed twice
    const listener = () => changed();
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  #parse(given: ProvidedCredentials): CredsFile {
    return given instanceof CredsFile ? given : parseCredsData(given, this.name);
  }
}
