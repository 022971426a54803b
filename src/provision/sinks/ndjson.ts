// Formats NDJSON lines.
import type { PeelCredential } from '../issue-batch.js';
import { contentText } from './content-text.js';

/** One JSON object and a newline: `peelId`, `publicKey`, and `creds`, the text of the `.creds` file. */
export function ndjsonLine(credential: PeelCredential): string {
  const { peelId, publicKey } = credential;
  return `${JSON.stringify({ peelId, publicKey, creds: contentText(credential) })}\n`;
}
