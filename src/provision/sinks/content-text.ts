// The text of a credentials file.
import type { PeelCredential } from '../issue-batch.js';

/** The text of a credential's file. It is ASCII. */
export function contentText({ content }: PeelCredential): string {
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
}
