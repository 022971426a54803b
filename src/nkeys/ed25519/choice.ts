// Whether a process prefers node:crypto. A file of its own, so that the command can say so without loading keys.

let prefersNode = false;

/**
 * Makes this process use `node:crypto` even where sodium-native is installed: loading that takes as long as starting
 * Node, which a process that ends at once never gets back. To be called before the first use of a key.
 */
export function preferNodeCrypto(): void {
  prefersNode = true;
}

export function isNodeCryptoPreferred(): boolean {
  return prefersNode;
}
