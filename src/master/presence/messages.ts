// The presence messages between masters.
import * as v from 'valibot';
import { peelConnectionSchema } from '../../protocol/records/presence.js';

/**
 * A peel: its ID, when it was last seen (milliseconds since 1970), its newest connections, and their number if there
 * are more.
 */
const seenSchema = v.tuple([v.string(), v.number(), v.array(peelConnectionSchema), v.number()]);
export type SeenEntry = v.InferOutput<typeof seenSchema>;

/** The watching master, and the time of its takeover. */
const source = { holder: v.string(), since: v.number() };

/** On {@link presenceSubject}: changes. An empty one means no changes since the last message. */
export const changesSchema = v.object({
  ...source,
  /** Grows by one with each message that has changes. */
  number: v.number(),
  peels: v.array(seenSchema),
});
export type PresenceChanges = v.InferOutput<typeof changesSchema>;

/** A part of a full answer; an empty message ends the parts. */
export const partSchema = v.object({ ...source, peels: v.array(seenSchema) });
