// Whether a process prefers node:crypto. A separate file, so that the command can say so without loading keys.

let prefersNode = false;

/**
 * Makes this process use `node:crypto` even if sodium-native is installed: loading that takes as long as starting
 * Node, which a short-lived process never recovers. Call it before the first use of a key.
 */
export function preferNodeCrypto(): void {
  prefersNode = true;
}

export function isNodeCryptoPreferred(): boolean {
  return prefersNode;
}
