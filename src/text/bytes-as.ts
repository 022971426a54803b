// Decodes bytes to text without copying them.

/** Decodes bytes. `Buffer.from(bytes)` would copy them, possibly a secret, into a pool that is never wiped. */
export function bytesAs(encoding: 'latin1' | 'utf8' | 'base64url', bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding);
}
