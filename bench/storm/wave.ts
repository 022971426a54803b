// One wave of a storm: waits until the servers accepted every connection, and the master knows every one.
import { setTimeout as delay } from 'node:timers/promises';
import type { AdminClient } from '../../src/protocol/admin-client.js';
import type { Generators } from './generators.js';
import { countKnown, listKnown } from './known.js';

/** Poll interval for the accepted and known connections. */
export const POLL_MS = 100;
const PROGRESS_MS = 5_000;
/** Between two lists of all peels, which cost the master something. */
const LIST_INTERVAL_MS = 1_000;

/** What a wave has to come to. */
export interface WaveGoal {
  /** When it began, in milliseconds since 1970. */
  startedAt: number;
  /** Connections that servers have to accept. */
  accepted: number;
  /** Of them, those that are made in this wave. */
  fresh: number;
  limitMs: number;
  /** Absent: there is no master. `others`: connected peels that are not of the storm. */
  master?: { admin: AdminClient; others: number; cpu: () => number };
  signal: AbortSignal;
}

export interface WaveResult {
  /** Milliseconds; undefined: not within the limit. */
  acceptedMs?: number;
  knownMs?: number;
  /** What is missing, in words. */
  missing?: string;
}

export async function wave(generators: Generators, goal: WaveGoal): Promise<WaveResult> {
  const { startedAt, accepted, fresh, limitMs, master, signal } = goal;
  const attempts = generators.state().attempts;
  const elapsed = () => Date.now() - startedAt;
  let acceptedMs: number | undefined;
  let known = 0;
  let listed = { listed: 0, fresh: 0 };
  let listedAt = -Infinity;
  let progressAt = PROGRESS_MS;
  for (;;) {
    signal.throwIfAborted();
    const state = generators.state();
    // connections of before are open until their server is gone
    const isMade = state.attempts - attempts >= fresh;
    if (acceptedMs === undefined && state.accepted === accepted && isMade && state.lastAt >= startedAt) {
      acceptedMs = state.lastAt - startedAt;
      if (master === undefined) return { acceptedMs };
    }
    if (master !== undefined) {
      known = await countKnown(master.admin).catch(() => known);
      const at = elapsed();
      if (
        acceptedMs !== undefined &&
        known >= accepted + master.others &&
        at - listedAt >= LIST_INTERVAL_MS
      ) {
        listedAt = at;
        listed = await listKnown(master.admin, startedAt).catch(() => listed);
        if (listed.listed === accepted && listed.fresh >= fresh) return { acceptedMs, knownMs: at };
      }
    }
    if (elapsed() > progressAt) {
      progressAt += PROGRESS_MS;
      const masterState =
        master === undefined ? '' : `, ${known} known, master ${master.cpu().toFixed(1)} s of CPU`;
      console.log(`      ${seconds(elapsed())}: ${state.accepted} of ${accepted} accepted${masterState}`);
    }
    if (elapsed() > limitMs) {
      const words = [`${state.accepted} of ${accepted} accepted`];
      if (master !== undefined) {
        words.push(`${known} of ${accepted + master.others} counted as connected`);
        if (listedAt > 0)
          words.push(`${listed.listed} listed, ${listed.fresh} of ${fresh} new connections listed`);
      }
      const refusals = Object.entries(state.refusals).map(([text, times]) => `${times} times "${text}"`);
      const missing = `after ${seconds(limitMs)}: ${[...words, ...refusals].join(', ')}`;
      return { ...(acceptedMs !== undefined && { acceptedMs }), missing };
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
