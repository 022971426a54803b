// Bytes as text, without a copy of them.

/** The text of bytes. `Buffer.from(bytes)` would copy them, perhaps a secret's, into a pool that nobody wipes. */
export function bytesAs(encoding: 'latin1' | 'utf8' | 'base64url', bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding);
}
