import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonChunks, jsonStream } from '../../src/text/json-chunks.js';

async function* coming<T>(all: readonly T[]): AsyncGenerator<T> {
  for (const one of all) yield await Promise.resolve(one);
}

async function textOf(chunks: Iterable<string> | AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk;
  return text;
}

it('a document in pieces equals the output of JSON.stringify', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (document) => {
      expect(await textOf(jsonChunks(document))).toBe(JSON.stringify(document, null, 2));
    }),
  );
});

it('a document whose array arrives in pieces is the same text', async () => {
  const element = fc.dictionary(fc.string(), fc.jsonValue());
  const rest = fc.dictionary(
    fc.string().filter((name) => name !== 'peels' && !/^\d+$/.test(name)),
    fc.jsonValue(),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(element), rest, async (peels, others) => {
      const text = await textOf(jsonStream('peels', coming(peels), () => others));
      expect(text).toBe(JSON.stringify({ peels, ...others }, null, 2));
    }),
  );
});
