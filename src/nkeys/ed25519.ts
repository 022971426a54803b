// Ed25519: the single entry point; uses libsodium if that is installed, else node:crypto.
import { KeyError } from '../errors.js';
import type { Ed25519 } from './ed25519/backend.js';
import { isNodeCryptoPreferred } from './ed25519/choice.js';
import { GuardedMemory, type Protection } from './ed25519/guarded-memory.js';
import { loadSodium } from './ed25519/load-sodium.js';
import { nodeEd25519 } from './ed25519/node.js';
import { sodiumEd25519 } from './ed25519/sodium.js';

export type { HeldSeed, SecretKey, Verifier } from './ed25519/backend.js';
export { generateRaw, importSeed, rawPublicOf } from './ed25519/node.js';

/** Names the implementation to use: `node` or `sodium`. Unset: sodium where it is installed. */
export const ED25519_VARIABLE = 'ZESTER_ED25519';

/** The implementation in use. */
export interface Ed25519Info {
  /** `sodium-native`, or `node:crypto`. */
  readonly backend: 'node:crypto' | 'sodium-native';
  /** The package's, or that of OpenSSL. */
  readonly version: string;
  /** Where seeds are: `locked` memory is neither swapped nor dumped, `guarded` may be, `plain` is ordinary memory. */
  readonly seeds: Protection;
  /** Why sodium-native is not used. */
  readonly why?: string;
}

interface Chosen {
  readonly ed25519: Ed25519;
  readonly info: () => Ed25519Info;
}

let chosen: Chosen | undefined;

/**
 * The implementation of this process, chosen at first use.
 *
 * @throws KeyError `ERR_KEY_BACKEND` when `ZESTER_ED25519` asks for one that is not there
 */
export function ed25519(): Ed25519 {
  chosen ??= choose();
  return chosen.ed25519;
}

/**
 * The implementation that this process uses.
 *
 * @throws KeyError `ERR_KEY_BACKEND`
 */
export function ed25519Info(): Ed25519Info {
  chosen ??= choose();
  return chosen.info();
}

function choose(): Chosen {
  const named = wanted();
  if (named === 'node') return byNode(`${ED25519_VARIABLE} is node`);
  if (named === undefined && isNodeCryptoPreferred()) return byNode('this command ends at once');
  const loaded = loadSodium();
  if (loaded.sodium === undefined) {
    if (named === undefined) return byNode(`sodium-native ${loaded.why}`);
    throw new KeyError(
      'ERR_KEY_BACKEND',
      `${ED25519_VARIABLE} is sodium, and sodium-native ${loaded.why}: install it with "npm install sodium-native@5", or unset the variable`,
    );
  }
  const { sodium, version } = loaded;
  const memory = new GuardedMemory(sodium, warnOfLimit);
  return {
    ed25519: sodiumEd25519(sodium, memory),
    info: () => ({ backend: 'sodium-native', version, seeds: memory.protection }),
  };
}

function byNode(why: string): Chosen {
  const info = {
    backend: 'node:crypto',
    version: process.versions['openssl'] ?? '',
    seeds: 'plain',
    why,
  } as const;
  return { ed25519: nodeEd25519, info: () => info };
}

function wanted(): 'node' | 'sodium' | undefined {
  let named: string | undefined;
  try {
    named = process.env[ED25519_VARIABLE];
  } catch {
    return undefined; // Deno, without the permission to read it
  }
  if (named === undefined || named === '') return undefined;
  if (named === 'node' || named === 'sodium') return named;
  throw new KeyError('ERR_KEY_BACKEND', `${ED25519_VARIABLE} must be node or sodium`);
}

function warnOfLimit(): void {
  process.emitWarning(
    'the process may lock no more memory: further seeds are not kept out of swap; raise the limit ("ulimit -l", LimitMEMLOCK=)',
    { type: 'ZesterWarning', code: 'ZESTER_MEMLOCK' },
  );
}
