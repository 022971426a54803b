// Formats large JSON documents in chunks.

/**
 * The text of `JSON.stringify(document, null, 2)` in chunks: each element of a top-level array is a chunk of its own.
 * So a document with many elements does not have to fit into one string.
 *
 * @example
 * for (const chunk of jsonChunks({ peels })) stream.write(chunk);
 */
export function* jsonChunks(document: object): Generator<string, void, undefined> {
  if (Array.isArray(document) || 'toJSON' in document) {
    yield JSON.stringify(document, null, 2);
    return;
  }
  const entries = Object.entries(document as Record<string, unknown>).filter(
    ([, value]) => value !== undefined && typeof value !== 'function' && typeof value !== 'symbol',
  );
  if (entries.length === 0) return yield '{}';
  let before = '{\n';
  for (const [name, value] of entries) {
    yield `${before}  ${JSON.stringify(name)}: `;
    before = ',\n';
    if (Array.isArray(value) && value.length > 0) yield* elements(value);
    else yield indented(JSON.stringify(value, null, 2), '  ');
  }
  yield '\n}';
}

/**
 * The text of {@link jsonChunks} for a document whose first value is a streamed array.
 *
 * @param rest returns the values after the array, once it has ended
 */
export async function* jsonStream(
  name: string,
  array: AsyncIterable<object>,
  rest: () => object,
): AsyncGenerator<string, void, undefined> {
  yield `{\n  ${JSON.stringify(name)}: `;
  let before = '[\n    ';
  for await (const element of array) {
    yield before + indented(JSON.stringify(element, null, 2), '    ');
    before = ',\n    ';
  }
  yield before.startsWith('[') ? '[]' : '\n  ]';
  const others = [...jsonChunks(rest())].join('');
  yield others === '{}' ? '\n}' : `,${others.slice(1)}`;
}

function* elements(array: readonly unknown[]): Generator<string, void, undefined> {
  let before = '[\n    ';
  for (const element of array) {
    // a value without JSON is null in an array
    yield before + indented(JSON.stringify(element, null, 2) ?? 'null', '    ');
    before = ',\n    ';
  }
  yield '\n  ]';
}

/** JSON strings contain no raw newlines, so every newline belongs to the layout. */
function indented(json: string, by: string): string {
  return json.replaceAll('\n', `\n${by}`);
}
