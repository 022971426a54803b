// Encodes the result of a batch for transfer between threads.
import { IssuedCredential, type PeelCredential } from './issue-batch.js';
import { packed as packedBytes } from './packed.js';
import type { PackedFiles, ProductKind, Results } from './product.js';

/**
 * The result of a batch in transit between threads: few values, and all bytes in one buffer, which is moved, not
 * copied, so that no second copy of a seed is left.
 */
export type Wire =
  | { kind: 'credentials'; list: readonly Described[]; packed: Uint8Array }
  | { kind: 'documents'; documents: Uint8Array }
  | { kind: 'files'; files: PackedFiles };

/** A credential without its bytes, which are the next `length` bytes of the buffer. */
type Described = Omit<PeelCredential, 'content' | typeof Symbol.dispose> & { length: number };

/**
 * Prepares a result for transfer.
 *
 * @param spare as in `Finisher`
 * @returns the message to send, and the buffers to transfer
 */
export function toWire(
  result: Results[ProductKind],
  spare: ArrayBuffer | undefined,
): { wire: Wire; moved: ArrayBuffer[] } {
  if (result instanceof Uint8Array)
    return { wire: { kind: 'documents', documents: result }, moved: [result.buffer as ArrayBuffer] };
  if (Array.isArray(result)) {
    const packed = packedBytes(
      result.map(({ content }) => content),
      spare,
    );
    const list = result.map(({ peelId, publicKey, jwt, content }) => ({
      peelId,
      publicKey,
      jwt,
      length: content.length,
    }));
    for (const { content } of result) content.fill(0);
    return { wire: { kind: 'credentials', list, packed }, moved: [packed.buffer as ArrayBuffer] };
  }
  return { wire: { kind: 'files', files: result }, moved: [result.bytes.buffer as ArrayBuffer] };
}

/** @returns the result, and a buffer that can be reused at once */
export function fromWire(wire: Wire): { result: Results[ProductKind]; spare?: ArrayBuffer } {
  switch (wire.kind) {
    case 'documents':
      return { result: wire.documents };
    case 'credentials': {
      const { packed } = wire;
      let at = 0;
      // a separate copy for each: the caller owns it, and may keep, move or wipe it
      const result = wire.list.map(
        ({ peelId, publicKey, jwt, length }) =>
          new IssuedCredential(peelId, publicKey, jwt, packed.slice(at, (at += length))),
      );
      packed.fill(0);
      return { result, spare: packed.buffer as ArrayBuffer };
    }
    case 'files':
      return { result: wire.files };
  }
}
