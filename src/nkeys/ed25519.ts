// Ed25519, the single entry point: uses libsodium if it is installed, else node:crypto.
import { KeyError } from '../errors.js';
import type { Ed25519 } from './ed25519/backend.js';
import { isNodeCryptoPreferred } from './ed25519/choice.js';
import { GuardedMemory, type Protection } from './ed25519/guarded-memory.js';
import { loadSodium } from './ed25519/load-sodium.js';
import { nodeEd25519 } from './ed25519/node.js';
import { sodiumEd25519 } from './ed25519/sodium.js';

export type { HeldSeed, SecretKey, Verifier } from './ed25519/backend.js';
export { generateRaw, importSeed, rawPublicOf } from './ed25519/node.js';

/** The variable that selects the implementation: `node` or `sodium`. Unset: sodium if it is installed. */
export const ED25519_VARIABLE = 'ZESTER_ED25519';

/** The implementation in use. */
export interface Ed25519Info {
  /** `sodium-native`, or `node:crypto`. */
  readonly backend: 'node:crypto' | 'sodium-native';
  /** The version of the package, or of OpenSSL. */
  readonly version: string;
  /** The memory of seeds: `locked` is neither swapped nor dumped, `guarded` may be, `plain` is ordinary memory. */
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
 * @throws KeyError `ERR_KEY_BACKEND` when `ZESTER_ED25519` selects one that is not available
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
  const named = requested();
  if (named === 'node') return byNode(`${ED25519_VARIABLE} is node`);
  if (named === undefined && isNodeCryptoPreferred()) return byNode('this command is short-lived');
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

function requested(): 'node' | 'sodium' | undefined {
  let named: string | undefined;
  try {
    named = process.env[ED25519_VARIABLE];
  } catch {
    return undefined; // Deno, without permission to read it
  }
  if (named === undefined || named === '') return undefined;
  if (named === 'node' || named === 'sodium') return named;
  throw new KeyError('ERR_KEY_BACKEND', `${ED25519_VARIABLE} must be node or sodium`);
}

function warnOfLimit(): void {
  process.emitWarning(
    'the limit for locked memory is reached: further seeds may be swapped; raise it ("ulimit -l", LimitMEMLOCK=)',
    { type: 'ZesterWarning', code: 'ZESTER_MEMLOCK' },
  );
}
