// The messages of commands and notices.
import * as v from 'valibot';
import { issueText, MAX_JSON_DEPTH, parseJson } from './messages.js';

/** The name of a handler: `ping`, `disk.free`. */
export const HANDLER_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/;

/** A command for a peel, on `zester.cmd.<id>`. */
export const commandSchema = v.object({
  handler: v.pipe(v.string(), v.maxLength(200), v.regex(HANDLER_NAME, 'is not a handler name')),
  args: v.array(v.string()),
});
export type Command = v.InferOutput<typeof commandSchema>;

/** The size limit of a peel's answer, in bytes. A result is for a person or a script; use a stream for larger data. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

/** An error code, of this library or of the peel's program. */
const code = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,64}$/, 'is not an error code'));

/** A peel's answer. */
export const commandAnswerSchema = v.union([
  // the error first: an answer without a result is valid too
  v.object({ peelId: v.string(), error: v.object({ code, message: v.string() }) }),
  v.object({ peelId: v.string(), result: v.optional(v.unknown()) }),
]);
export type CommandAnswer = v.InferOutput<typeof commandAnswerSchema>;

/**
 * Parses a peel's answer. A peel may answer anything: an invalid answer becomes an error of that peel, and does not
 * affect the others.
 *
 * @param peelId the peel that was asked
 */
export function readCommandAnswer(data: Uint8Array, peelId: string): CommandAnswer {
  const bad = (why: string): CommandAnswer => ({ peelId, error: { code: 'ERR_FLEET_ANSWER', message: why } });
  if (data.length > MAX_ANSWER_BYTES) {
    return bad(`its answer has ${data.length} bytes: at most ${MAX_ANSWER_BYTES} are read`);
  }
  const json = parseJson(data);
  if (json === undefined) {
    return bad(`its answer is not JSON, or nested more than ${MAX_JSON_DEPTH} levels deep`);
  }
  const parsed = v.safeParse(commandAnswerSchema, json);
  if (!parsed.success) return bad(`its answer cannot be used: ${issueText(parsed.issues)}`);
  return parsed.output.peelId === peelId ? parsed.output : bad('its answer names a different peel');
}

/** A master's signed message to a peel, on `zester.cmd.<id>.notice`. */
export const noticeSchema = v.variant('kind', [
  /** The peel must replace this key. A replay of the notice then has no effect. Older masters omit the key. */
  v.object({
    kind: v.literal('rotate'),
    peelId: v.string(),
    publicKey: v.optional(v.string()),
    at: v.string(),
  }),
  /** The peel, or these keys of it, were rejected or revoked: it must stop. */
  v.object({
    kind: v.literal('ended'),
    peelId: v.string(),
    code: v.picklist(['ERR_FLEET_REJECTED', 'ERR_FLEET_REVOKED']),
    reason: v.optional(v.string()),
    publicKeys: v.optional(v.array(v.string())),
    at: v.string(),
  }),
]);
export type Notice = v.InferOutput<typeof noticeSchema>;
