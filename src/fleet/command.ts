import * as v from 'valibot';

/** The name of a handler: `ping`, `disk.free`. */
export const HANDLER_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/;

/** What is asked of a peel, on `zester.cmd.<id>`. */
export const commandSchema = v.object({
  handler: v.pipe(v.string(), v.maxLength(200), v.regex(HANDLER_NAME, 'is no name of a handler')),
  args: v.array(v.string()),
});
export type Command = v.InferOutput<typeof commandSchema>;

/** What a peel answers. */
export const commandAnswerSchema = v.union([
  // the error first: an answer without a result is an answer too
  v.object({ peelId: v.string(), error: v.object({ code: v.string(), message: v.string() }) }),
  v.object({ peelId: v.string(), result: v.optional(v.unknown()) }),
]);
export type CommandAnswer = v.InferOutput<typeof commandAnswerSchema>;

/** What a master tells a peel, signed by it, on `zester.cmd.<id>.notice`. */
export const noticeSchema = v.variant('kind', [
  /** Its key is to be replaced. */
  v.object({ kind: v.literal('rotate'), peelId: v.string(), at: v.string() }),
  /** It was rejected or revoked: there is nothing more for it to do. Of these keys, or of all. */
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
