// Whether a process prefers node:crypto. A separate file, so that the command can choose it without loading keys.

let prefersNode = false;

/**
 * Makes this process use `node:crypto` even if sodium-native is installed: loading that takes as long as starting
 * Node.js, which does not pay off in a short-lived process. Call it before the first use of a key.
 */
export function preferNodeCrypto(): void {
  prefersNode = true;
}

export function isNodeCryptoPreferred(): boolean {
  return prefersNode;
}
