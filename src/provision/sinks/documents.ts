// Sink: a stream of documents, such as NDJSON or manifests.
import type { Delivery } from '../delivery.js';
import type { ProductOf } from '../product.js';
import type { ByteTarget } from '../../files/byte-target.js';

/** Writes a stream of documents, one per credential, each batch in one write. */
export function documentsDelivery(product: ProductOf<'documents'>, target: ByteTarget): Delivery {
  return {
    async run(issue, ids, { delivered }) {
      for await (const { peelIds, result } of issue<'documents'>(ids, product)) {
        await target.write(result);
        await delivered(peelIds);
      }
    },
    finish: () => target.finish(),
    abort: () => target.abort(),
  };
}
