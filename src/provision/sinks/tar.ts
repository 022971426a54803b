// Sink: a tar archive.
import { pack } from 'tar-stream';
import type { CredentialSink } from './sink.js';
import type { ByteTarget } from '../../files/byte-target.js';

/** A tar archive with an entry `<id>.creds` for each credential, mode 0600, owned by root. */
export function tarSink(target: ByteTarget, now: () => number = Date.now): CredentialSink {
  const archive = pack();
  const written = (async () => {
    for await (const chunk of archive as AsyncIterable<Uint8Array>) await target.write(chunk);
  })();
  written.catch((error: Error) => archive.destroy(error));
  return {
    concurrency: 1,
    async deliver({ peelId, content }) {
      const header = { name: `${peelId}.creds`, mode: 0o600, mtime: new Date(now()), size: content.length };
      // copy: the archive keeps its input until it is written, but the content is wiped as soon as this resolves
      const bytes = Buffer.from(content);
      const packed = new Promise<void>((resolve, reject) => {
        archive.entry(header, bytes, (error) => {
          if (error) reject(error);
          else resolve();
        });
      });
      await Promise.race([packed, written]);
    },
    async finish() {
      archive.finalize();
      await written;
      await target.finish();
    },
    async abort() {
      archive.destroy();
      await written.catch(() => undefined);
      await target.abort();
    },
  };
}
