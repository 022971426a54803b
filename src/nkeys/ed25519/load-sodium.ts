// Loads sodium-native, if it is installed and works.
// a namespace import, since bundles often have a banner that declares "createRequire"
import * as nodeModule from 'node:module';
import { isAbsolute } from 'node:path';
import { errorMessage } from '../../text/error-message.js';

/** The part of sodium-native that is used. */
export interface Sodium {
  crypto_sign_keypair(publicKey: Uint8Array, secretKey: Uint8Array): void;
  crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void;
  crypto_sign_detached(signature: Uint8Array, data: Uint8Array, secretKey: Uint8Array): void;
  crypto_sign_verify_detached(signature: Uint8Array, data: Uint8Array, publicKey: Uint8Array): boolean;
  /** Memory between two guard pages that crash the process when they are touched. */
  sodium_malloc(size: number): Uint8Array;
  /** Keeps memory out of swap and core dumps. @throws Error at the limit of the process */
  sodium_mlock(memory: Uint8Array): void;
  sodium_memzero(memory: Uint8Array): void;
}

/** The result of {@link loadSodium}. */
export type SodiumLoad =
  | { readonly sodium: Sodium; readonly version: string }
  | { readonly sodium: undefined; readonly why: string };

/** A constant, so that no bundler resolves it: it may not be installed. */
const PACKAGE = 'sodium-native';

/** Loads the package. It never throws: if the native module fails, `node:crypto` is always available. */
export function loadSodium(): SodiumLoad {
  try {
    // CommonJS bundles have only __filename, ES modules only import.meta.url; in a worker from source text, __filename
    // is no path
    const isPath = typeof __filename === 'string' && isAbsolute(__filename);
    const load = nodeModule.createRequire(isPath ? __filename : import.meta.url);
    const sodium = load(PACKAGE) as Sodium;
    if (!works(sodium)) return { sodium: undefined, why: 'fails its test' };
    const { version } = load(`${PACKAGE}/package.json`) as { version: string };
    return { sodium, version };
  } catch (error) {
    return {
      sodium: undefined,
      why: isAbsent(error) ? 'is not installed' : `cannot be loaded: ${errorMessage(error)}`,
    };
  }
}

/** Whether the package itself is missing, not one of its files or dependencies. */
function isAbsent(error: unknown): boolean {
  if (!(error instanceof Error) || !error.message.includes(`'${PACKAGE}'`)) return false;
  return (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
}

/** Source: RFC 8032, section 7.1, test 2. */
const TEST = {
  seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
  publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  data: '72',
  signature:
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
};

/** Whether the loaded module computes correctly. */
function works(sodium: Sodium): boolean {
  const [seed, data] = [Buffer.from(TEST.seed, 'hex'), Buffer.from(TEST.data, 'hex')];
  const [publicKey, secretKey, signature] = [Buffer.alloc(32), Buffer.alloc(64), Buffer.alloc(64)];
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed);
  sodium.crypto_sign_detached(signature, data, secretKey);
  if (publicKey.toString('hex') !== TEST.publicKey || signature.toString('hex') !== TEST.signature)
    return false;
  if (!sodium.crypto_sign_verify_detached(signature, data, publicKey)) return false;
  sodium.sodium_memzero(secretKey);
  return (
    secretKey.every((byte) => byte === 0) && !sodium.crypto_sign_verify_detached(signature, seed, publicKey)
  );
}
