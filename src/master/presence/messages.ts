// What masters tell each other about presence.
import * as v from 'valibot';
import { peelConnectionSchema } from '../../protocol/records/presence.js';

/** A peel: its id, when it was last seen (milliseconds since 1970), its newest connections, how many it has if more. */
const seenSchema = v.tuple([v.string(), v.number(), v.array(peelConnectionSchema), v.number()]);
export type SeenEntry = v.InferOutput<typeof seenSchema>;

/** The master that watches, and since which take-over. */
const source = { holder: v.string(), since: v.number() };

/** On {@link presenceSubject}: what has changed. Without changes: that nothing has since the last one. */
export const changesSchema = v.object({
  ...source,
  /** Grows by one with each message that has changes. */
  number: v.number(),
  peels: v.array(seenSchema),
});
export type PresenceChanges = v.InferOutput<typeof changesSchema>;

/** A part of what a master knows, as an answer; an empty message ends the parts. */
export const partSchema = v.object({ ...source, peels: v.array(seenSchema) });
