// Redacts seeds in a document, before it becomes JSON.
import { holdsSeed, redactSeeds } from '../errors.js';

/**
 * The JSON of a document, with every text in it redacted. Redacting the JSON itself would cut escapes in half, and nothing
 * could read it; and it would overlook a seed after an escape.
 *
 * @example redactedJson({ reason: 'see SUA…' }); // '{"reason":"see (a seed)"}'
 */
export function redactedJson(document: unknown): string {
  const json = JSON.stringify(document);
  // nearly always: there is nothing to redact, and no escape that may hide it
  if (!json.includes('\\') && redactSeeds(json) === json) return json;
  return JSON.stringify(document, (_name, value: unknown) =>
    typeof value === 'string' ? redactSeeds(value) : value,
  );
}

/** Whether a text or a name in a document contains a seed. */
export function documentHoldsSeed(document: unknown): boolean {
  let holds = false;
  JSON.stringify(document, (name, value: unknown) => {
    holds ||= holdsSeed(name) || (typeof value === 'string' && holdsSeed(value));
    return value;
  });
  return holds;
}
