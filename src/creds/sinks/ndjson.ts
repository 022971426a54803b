import type { CredentialSink } from './sink.js';
import type { ByteTarget } from './target.js';
import { contentText, textStreamSink } from './text-stream.js';

/** One JSON object a line: `peelId`, `publicKey`, and in `creds` the text of the `.creds` file. */
export function ndjsonSink(target: ByteTarget): CredentialSink {
  return textStreamSink(target, (credential) => {
    const { peelId, publicKey } = credential;
    return `${JSON.stringify({ peelId, publicKey, creds: contentText(credential) })}\n`;
  });
}
