// Knows every seed of a test run, and finds them in any form: in files, output, and /proc.
import { base32 } from '@scure/base';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { decodeSeed } from '../../src/nkeys/encoding.js';

/** A secret in the wrong place. */
export interface Finding {
  /** The file, or what was scanned. */
  where: string;
  /** The rightful place of the secret. */
  secret: string;
  form: string;
}

interface Pattern {
  secret: string;
  form: string;
  bytes: Buffer;
}

const SEED_TEXT = /S[A-Z2-7]{57}(?![A-Z2-7])/g;
/** Files whose purpose is to hold a seed as text: all that Zester writes. */
const OWN = /\.(?:creds|seed|nk|pending|recovering)$/;
/** Temporary files of these: a killed writer may leave one, with mode 0600. */
const OWN_TEMPORARY = /\.(?:creds|seed|nk|pending|recovering)\.zester-tmp-[0-9a-z-]+$/;
const TEXT = 'base32';

/** Finds secrets. A search is one pass over the bytes, for any number of secrets. */
export class SecretScanner {
  readonly #seeds = new Map<string, string>();
  /** Patterns by their first four bytes. */
  readonly #patterns = new Map<number, Pattern[]>();

  get count(): number {
    return this.#seeds.size;
  }

  /** Learns every seed that is text in a file of a folder. */
  learnFrom(folder: string): void {
    for (const path of filesIn(folder)) {
      const content = contentOf(path)?.toString('latin1') ?? '';
      for (const [text] of content.matchAll(SEED_TEXT)) this.learnSeed(text, relative(folder, path));
    }
  }

  learnSeed(text: string, where: string): void {
    if (this.#seeds.has(text)) return;
    let raw: Buffer;
    try {
      raw = Buffer.from(decodeSeed(text).raw);
    } catch {
      return; // no seed, or a damaged one
    }
    this.#seeds.set(text, where);
    // most of it is as bad as all of it
    this.#learn(where, TEXT, Buffer.from(text.slice(4, 44)));
    this.#learn(where, 'raw', raw);
    this.#learn(where, 'base32 of the raw bytes', Buffer.from(base32.encode(raw).slice(0, 48)));
    for (const [what, bytes] of [['raw', raw] as const, ['text', Buffer.from(text)] as const]) {
      this.#learn(where, `hex of ${what}`, Buffer.from(bytes.toString('hex')));
      this.#learn(where, `upper-case hex of ${what}`, Buffer.from(bytes.toString('hex').toUpperCase()));
      this.#learn(where, `decimals of ${what}`, Buffer.from([...bytes].slice(0, 16).join(',')));
      this.#learn(where, `spaced decimals of ${what}`, Buffer.from([...bytes].slice(0, 16).join(', ')));
      for (const before of [0, 1, 2]) {
        for (const alphabet of ['base64', 'base64url'] as const) {
          const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString(alphabet);
          // without the characters that depend on what stands before and after
          this.#learn(where, `${alphabet} of ${what}`, Buffer.from(encoded.slice(before === 0 ? 0 : 4, -4)));
        }
      }
    }
  }

  /** A password, as text and in base64, as a server or a client would encode it. */
  learnPassword(text: string, where: string): void {
    const bytes = Buffer.from(text);
    this.#learn(where, 'text', bytes);
    this.#learn(where, 'hex', Buffer.from(bytes.toString('hex')));
    this.#learn(where, 'base64', Buffer.from(bytes.toString('base64').replace(/=+$/, '').slice(0, -1)));
  }

  #learn(secret: string, form: string, bytes: Buffer): void {
    const key = bytes.readUInt32BE(0);
    const known = this.#patterns.get(key) ?? [];
    this.#patterns.set(key, [...known, { secret, form, bytes }]);
  }

  /** The secrets in some bytes. */
  find(where: string, content: Buffer): Finding[] {
    const found = new Map<string, Finding>();
    let key = 0;
    for (let i = 0; i < content.length; i += 1) {
      key = ((key << 8) | (content[i] ?? 0)) >>> 0;
      for (const { secret, form, bytes } of this.#patterns.get(key) ?? []) {
        const start = i - 3;
        if (start >= 0 && content.subarray(start, start + bytes.length).equals(bytes))
          found.set(`${secret} ${form}`, { where, secret, form });
      }
    }
    return [...found.values()];
  }

  /** The secrets in the files of a folder, except seeds as text in private files whose purpose is to hold one. */
  findIn(folder: string): Finding[] {
    return filesIn(folder).flatMap((path) => {
      const content = contentOf(path);
      if (content === undefined) return [];
      const isOwn = OWN.test(basename(path)) || OWN_TEMPORARY.test(basename(path));
      const isPrivate = (statSync(path).mode & 0o077) === 0;
      const where = relative(folder, path);
      return this.find(where, content).filter(({ form }) => !(isOwn && isPrivate && form === TEXT));
    });
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** undefined: it has been removed. */
function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Records the command line and environment in /proc of every process that starts. */
export class ProcessWatcher {
  readonly #seen = new Set<string>();
  readonly #shown: Buffer[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#look();
    this.#shown.length = 0; // earlier processes are not ours
    this.#timer = setInterval(() => this.#look(), 5);
  }

  #look(): void {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      for (const what of ['cmdline', 'environ']) {
        try {
          const content = readFileSync(`/proc/${pid}/${what}`);
          // before exec, a process shows its parent's
          const name = `${pid} ${content.toString('latin1')}`;
          if (this.#seen.has(name)) continue;
          this.#seen.add(name);
          this.#shown.push(content);
        } catch {
          // it has ended, or is another user's
        }
      }
    }
  }

  /** Stops recording, and returns everything recorded. */
  end(): Buffer {
    clearInterval(this.#timer);
    this.#look();
    return Buffer.concat(this.#shown.flatMap((content) => [content, Buffer.from('\n')]));
  }
}
