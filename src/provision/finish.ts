// Turns a batch of credentials into its product: files, lines or manifests.
import type { NewFile } from '../files/write-secret-files.js';
import type { PeelCredential } from './issue-batch.js';
import { packed, roomFor } from './packed.js';
import type { ProductKind, ProductOf, Results } from './product.js';

/**
 * Makes the product of a batch, in the thread that issued its credentials. Wipes the credentials, unless they are the
 * product.
 *
 * @param spare an unused buffer to write documents into
 */
export type Finisher<Kind extends ProductKind = ProductKind> = (
  made: PeelCredential[],
  spare?: ArrayBuffer,
) => Promise<Results[Kind]>;

/**
 * The finisher of a product.
 *
 * @throws UsageError for an invalid age recipient
 */
export async function finisherOf<Kind extends ProductKind>(
  product: ProductOf<Kind>,
): Promise<Finisher<Kind>> {
  const finish = await finisherOfAny(product as ProductOf<ProductKind>);
  return async (made, spare) => {
    try {
      return (await finish(made, spare)) as Results[Kind];
    } finally {
      if (product.kind !== 'credentials') for (const { content } of made) content.fill(0);
    }
  };
}

// load the modules of a product only in the thread that makes it: there are many threads
async function finisherOfAny(product: ProductOf<ProductKind>): Promise<Finisher> {
  switch (product.kind) {
    case 'credentials':
      return async (made) => made;
    case 'documents': {
      const documentOf = await documentMaker(product);
      return async (made, spare) => textBytes(made.map(documentOf), spare);
    }
    case 'files': {
      const fileOf = await fileMaker(product.ageRecipients);
      return async (made, spare) => {
        const files = await Promise.all(made.map(fileOf));
        const contents = files.map(({ content }) => content);
        return {
          names: files.map(({ name }) => name),
          lengths: contents.map(({ length }) => length),
          bytes: packed(contents, spare),
        };
      };
    }
  }
}

async function documentMaker(
  product: ProductOf<'documents'>,
): Promise<(credential: PeelCredential) => string> {
  if (product.format === 'ndjson') return (await import('./sinks/ndjson.js')).ndjsonLine;
  const { secretManifest } = await import('./sinks/kubernetes.js');
  return (credential) => secretManifest(credential, product.namespace);
}

async function fileMaker(
  ageRecipients: readonly string[] | undefined,
): Promise<(credential: PeelCredential) => NewFile | Promise<NewFile>> {
  const { credsFileName, ageFileName } = await import('./sinks/file-names.js');
  if (ageRecipients === undefined) return ({ peelId, content }) => ({ name: credsFileName(peelId), content });
  const { encrypterFor } = await import('./sinks/encrypter.js');
  const encrypter = encrypterFor(ageRecipients);
  return async ({ peelId, content }) => ({
    name: ageFileName(peelId),
    content: await encrypter.encrypt(content),
  });
}

/** Concatenates texts as bytes, in the spare buffer if they fit. */
function textBytes(texts: readonly string[], spare: ArrayBuffer | undefined): Uint8Array {
  const length = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const room = roomFor(length, spare);
  const bytes = Buffer.from(room, 0, length);
  let at = 0;
  for (const text of texts) at += bytes.write(text, at, 'utf8');
  return new Uint8Array(room, 0, length);
}
