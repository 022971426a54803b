import type { PeelCredential } from '../bulk/issue-batch.js';
import type { CredentialSink } from './sink.js';
import type { ByteTarget } from './target.js';

/** Documents on their way at once. */
const IN_FLIGHT = 64;

/** A stream of documents, one a credential, each written in one piece. */
export function textStreamSink(
  target: ByteTarget,
  documentOf: (credential: PeelCredential) => string,
): CredentialSink {
  let last: Promise<void> = Promise.resolve();
  return {
    concurrency: IN_FLIGHT,
    deliver(credential) {
      const bytes = Buffer.from(documentOf(credential));
      // one after the other, so that they do not mix; an error of one is the error of all that follow
      last = last.then(() => target.write(bytes)).finally(() => bytes.fill(0));
      return last;
    },
    finish: () => target.finish(),
    abort: () => target.abort(),
  };
}

/** The text of a credential's file. */
export function contentText({ content }: PeelCredential): string {
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
}
