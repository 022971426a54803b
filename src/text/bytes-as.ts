// Decodes bytes to text without copying them.

/** Decodes bytes. `Buffer.from(bytes)` would copy them, possibly a secret, into a pool that is never wiped. */
export function bytesAs(encoding: 'latin1' | 'utf8' | 'base64url', bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString(encoding);
}
