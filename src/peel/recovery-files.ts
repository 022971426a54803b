// Keeps the recovery credential of a peel, and the key that it recovers with, next to its .creds file.
import { unlink } from 'node:fs/promises';
import { loadGiven, type CredentialStore } from '../connection/credentials.js';
import type { GivenUserCredentials } from '../creds/credentials-option.js';
import type { CredsFile } from '../creds/creds-file.js';
import { pathOf } from '../files/path-of.js';
import { FileError, JwtError, ZesterError } from '../errors.js';
import { loadJwtFile } from '../creds/load-jwt-file.js';
import { requirePrivateFile } from '../files/open-file.js';
import { readSmallFile } from '../files/read-small-file.js';
import { writeSecretFile } from '../files/write-secret-file.js';
import { userSubjectAsServersReadIt } from '../jwt/decode.js';
import { generateKeyBundle, loadKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';

/** Where the recovery credential of a peel is kept. It uses the peel's own key, so the JWT alone is not a secret. */
export interface RecoveryFiles {
  /** The JWT of the recovery credential for this key; undefined: there is none. */
  credentialFor(publicKey: string): Promise<string | undefined>;
  /** Takes one issued by a master; in memory until {@link save}. */
  note(jwt: string): void;
  /** Writes the one for this key, if there is one. @throws FileError */
  save(publicKey: string): Promise<void>;
  /**
   * The key to recover with, which replaces this one. The same until {@link forgetKey}, also in another process: a
   * second new key for the same old one would look like a copy's.
   *
   * @throws FileError, KeyError
   */
  newKeyFor(publicKey: string): Promise<KeyBundle>;
  /**
   * That key, if there is one: a rotation must use it too. An abandoned recovery request may still reach a master after
   * the rotation, and with a different new key it would look like a copy's.
   *
   * @throws FileError, KeyError
   */
  pendingKeyFor(publicKey: string): Promise<KeyBundle | undefined>;
  /** This key is in the `.creds` file now: removes it here. */
  written(publicKey: string): Promise<void>;
  forgetKey(): Promise<void>;
}

/** In memory: lost when the program ends. */
export class RecoveryMemory implements RecoveryFiles {
  readonly #jwts = new Map<string, string>();
  #key: { replaces: string; seed: Uint8Array } | undefined;

  credentialFor(publicKey: string): Promise<string | undefined> {
    return Promise.resolve(this.#jwts.get(publicKey));
  }

  note(jwt: string): void {
    const publicKey = userSubjectAsServersReadIt(jwt);
    if (publicKey === undefined) return;
    // of the key in use, and of its upcoming replacement
    for (const known of [...this.#jwts.keys()].slice(0, -1)) this.#jwts.delete(known);
    this.#jwts.set(publicKey, jwt);
  }

  save(): Promise<void> {
    return Promise.resolve();
  }

  async newKeyFor(publicKey: string): Promise<KeyBundle> {
    const kept = await this.pendingKeyFor(publicKey);
    if (kept !== undefined) return kept;
    const key = generateKeyBundle('user');
    this.#key?.seed.fill(0);
    this.#key = { replaces: publicKey, seed: key.seed };
    return key;
  }

  pendingKeyFor(publicKey: string): Promise<KeyBundle | undefined> {
    const kept = this.#key?.replaces === publicKey ? loadKeyBundle('user', this.#key.seed) : undefined;
    return Promise.resolve(kept);
  }

  async written(publicKey: string): Promise<void> {
    const key = this.#key && loadKeyBundle('user', this.#key.seed);
    key?.wipe();
    if (key?.publicKey === publicKey) await this.forgetKey();
  }

  forgetKey(): Promise<void> {
    this.#key?.seed.fill(0);
    this.#key = undefined;
    return Promise.resolve();
  }
}

/** `FILE.recovery` holds the JWT, `FILE.recovering` the new key while the peel recovers. Both are written atomically, 0600. */
export class RecoveryOnDisk implements RecoveryFiles {
  readonly #path: string;
  readonly #keyPath: string;
  readonly #memory = new RecoveryMemory();

  /** @param credsPath the `.creds` file @param path the file of the recovery credential; next to it by default */
  constructor(credsPath: string, path = recoveryPath(credsPath)) {
    this.#path = path;
    this.#keyPath = `${credsPath}.recovering`;
  }

  async credentialFor(publicKey: string): Promise<string | undefined> {
    const noted = await this.#memory.credentialFor(publicKey);
    if (noted !== undefined) return noted;
    const jwt = await this.#readCredential();
    return jwt !== undefined && userSubjectAsServersReadIt(jwt) === publicKey ? jwt : undefined;
  }

  async #readCredential(): Promise<string | undefined> {
    try {
      return await loadJwtFile(this.#path);
    } catch (error) {
      // unreadable or absent: no recovery is possible
      if (error instanceof FileError || error instanceof JwtError) return undefined;
      throw error;
    }
  }

  note(jwt: string): void {
    this.#memory.note(jwt);
  }

  async save(publicKey: string): Promise<void> {
    const jwt = await this.#memory.credentialFor(publicKey);
    if (jwt === undefined || jwt === (await this.#readCredential())) return;
    await writeSecretFile(this.#path, Buffer.from(`${jwt}\n`));
  }

  async newKeyFor(publicKey: string): Promise<KeyBundle> {
    for (let attempt = 0; ; attempt += 1) {
      const kept = await this.#readKey(publicKey);
      if (kept !== undefined) return kept;
      const key = generateKeyBundle('user');
      try {
        await this.#writeKey(publicKey, key);
        return key;
      } catch (error) {
        key.wipe();
        // another process was faster: its key is used by both
        const isThere = error instanceof FileError && error.code === 'ERR_FILE_EXISTS';
        if (!isThere || attempt >= 3) throw error;
      }
    }
  }

  pendingKeyFor(publicKey: string): Promise<KeyBundle | undefined> {
    return this.#readKey(publicKey);
  }

  async forgetKey(): Promise<void> {
    await unlink(this.#keyPath).catch(() => undefined);
  }

  async written(publicKey: string): Promise<void> {
    const kept = await this.#read();
    kept?.key?.wipe();
    if (kept?.key?.publicKey === publicKey) await this.forgetKey();
  }

  /** @returns undefined if there is none for this key; removes one for another key */
  async #readKey(publicKey: string): Promise<KeyBundle | undefined> {
    const kept = await this.#read();
    if (kept === undefined) return undefined;
    if (kept.replaces === publicKey && kept.key !== undefined) return kept.key;
    kept.key?.wipe();
    await this.forgetKey();
    return undefined;
  }

  /**
   * The new key, and the one that it replaces.
   *
   * @returns undefined if there is no file; without a key if it is damaged
   */
  async #read(): Promise<{ replaces: string; key: KeyBundle | undefined } | undefined> {
    let content: Uint8Array;
    try {
      content = await readSmallFile(this.#keyPath, 1_024, { check: requirePrivateFile });
    } catch (error) {
      if (error instanceof FileError && error.code === 'ERR_FILE_NOT_FOUND') return undefined;
      throw error;
    }
    const [replaces = '', seed = ''] = Buffer.from(content).toString('latin1').split('\n');
    content.fill(0);
    try {
      return { replaces, key: loadKeyBundle('user', seed) };
    } catch (error) {
      if (!(error instanceof ZesterError)) throw error;
      return { replaces, key: undefined };
    }
  }

  async #writeKey(publicKey: string, key: KeyBundle): Promise<void> {
    const { seed } = key;
    const content = Buffer.concat([Buffer.from(`${publicKey}\n`), seed, Buffer.from('\n')]);
    seed.fill(0);
    try {
      await writeSecretFile(this.#keyPath, content, { ifAbsent: true });
    } finally {
      content.fill(0);
    }
  }
}

/** Where the recovery credential of a `.creds` file is, by default. */
export function recoveryPath(credsPath: string): string {
  return `${credsPath}.recovery`;
}

/** Writes the recovery credential of a `.creds` file next to it. @throws FileError */
export async function writeRecoveryFile(credsPath: string, jwt: string): Promise<void> {
  await writeSecretFile(recoveryPath(credsPath), Buffer.from(`${jwt}\n`));
}

/** A store that also writes the recovery credential of the credentials it stores. */
export function withRecovery(store: CredentialStore, files: RecoveryFiles): CredentialStore {
  return {
    path: store.path,
    decode: (content) => store.decode(content),
    write: async (creds) => {
      await store.write(creds);
      await files.save(creds.publicKey);
      await files.written(creds.publicKey);
    },
  };
}

/** The options for the location of the recovery credential. */
export interface RecoveryFilesOptions {
  recovery?: string | URL | false | undefined;
  renew?: boolean | undefined;
}

/** The store of the recovery credential; undefined: the peel does not recover by itself. */
export function recoveryFilesOf(
  given: GivenUserCredentials,
  options: RecoveryFilesOptions,
): RecoveryFiles | undefined {
  const { recovery, renew } = options;
  if (recovery === false || renew === false) return undefined;
  const path = recovery === undefined ? undefined : pathOf(recovery);
  if (given.kind === 'file') return new RecoveryOnDisk(given.path, path);
  return path === undefined ? new RecoveryMemory() : new RecoveryOnDisk(path, path);
}

/** The current credentials at their source, not those loaded at the start. */
export function loadNow(given: GivenUserCredentials): Promise<CredsFile> {
  return loadGiven(given.kind === 'file' ? { kind: 'file', path: given.path } : given);
}
