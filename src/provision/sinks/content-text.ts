// The text of a credentials file.
import { bytesAs } from '../../text/bytes-as.js';
import type { PeelCredential } from '../issue-batch.js';

/** The text of a credentials file. It is ASCII. */
export function contentText({ content }: PeelCredential): string {
  return bytesAs('latin1', content);
}
