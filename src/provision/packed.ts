// Packs byte arrays into one buffer.

/** A buffer of at least this size: the spare one, if it is large enough. */
export function roomFor(length: number, spare: ArrayBuffer | undefined): ArrayBuffer {
  if (spare !== undefined && spare.byteLength >= length) return spare;
  // with room to spare, so that a slightly longer next batch fits too
  return new ArrayBuffer(length + length / 4);
}

/** Concatenates contents. */
export function packed(contents: readonly Uint8Array[], spare: ArrayBuffer | undefined): Uint8Array {
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  const bytes = new Uint8Array(roomFor(length, spare), 0, length);
  let at = 0;
  for (const content of contents) {
    bytes.set(content, at);
    at += content.length;
  }
  return bytes;
}
