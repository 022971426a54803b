// Rotates the keys of many peels, a limited number at a time.
import { setTimeout as delay } from 'node:timers/promises';
import { ZesterError } from '../../errors.js';
import { liveKey } from '../../protocol/records/record.js';
import type { CliIo } from '../terminal/io.js';
import { retryUntil, type Admin } from './admin.js';
import { parseEvent } from '../../protocol/records/parse-event.js';
import { ROTATION_MASTER_TIMEOUT_MS, ROTATION_POLL_MS } from '../../timing.js';
import { subjectFor } from '../../permissions/names.js';

/** The options of {@link rotatePeels}. */
export interface RotatePeelsOptions {
  /** The peels, each with the key of its connection; undefined: unknown, or never connected. */
  keys: ReadonlyMap<string, string | undefined>;
  /** Maximum number of peels rotating at once. */
  limit: number;
  /** Time limit of a notified peel, in milliseconds, before the next one is notified. */
  timeoutMs: number;
  /** ISO 8601: skip peels whose key was issued at this time or later. */
  since?: string | undefined;
  /** Wait for the notified peels. */
  wait: boolean;
  /** Interrupts the rotation. */
  signal: AbortSignal;
  /** Called on each change. */
  onProgress: (result: RotationResult) => void;
  onFailed: (peelId: string, error: ZesterError) => void;
}

/** The outcome of each peel. */
export interface RotationResult {
  /** Its new key is in use, or there was nothing to do. */
  done: Set<string>;
  /** It was notified. */
  underWay: Map<string, number>;
  /** It is not connected, and will be notified when it renews. */
  asked: Set<string>;
  /** It was notified, but did not finish in time. */
  late: Set<string>;
  failed: Map<string, ZesterError>;
}

/**
 * Makes peels rotate their keys, a limited number at a time. Follows the audit log to detect finished peels.
 *
 * @throws errors of the request; a peel whose request fails is reported and skipped
 */
export async function rotatePeels(
  { nc, client }: Admin,
  options: RotatePeelsOptions,
  io: CliIo,
): Promise<RotationResult> {
  const { keys, limit, timeoutMs, since, signal } = options;
  const result: RotationResult = {
    done: new Set(),
    underWay: new Map(),
    asked: new Set(),
    late: new Set(),
    failed: new Map(),
  };
  let wake: () => void = () => undefined;
  const report = () => {
    options.onProgress(result);
    wake();
  };
  const settle = (peelId: string, into: Set<string>) => {
    for (const others of [result.underWay, result.asked, result.late]) others.delete(peelId);
    into.add(peelId);
    report();
  };
  const noteLiveKey = (peelId: string, liveKey: string | undefined) => {
    if (!keys.has(peelId) || liveKey === undefined || liveKey === keys.get(peelId)) return;
    if (!result.done.has(peelId)) settle(peelId, result.done);
  };
  const subscription = nc.subscribe(subjectFor.audit('*', 'key.connected'), {
    callback: (error, message) => {
      const event = error === null ? parseEvent(message.data) : undefined;
      if (event?.kind === 'key.connected') noteLiveKey(event.peelId ?? '', event.publicKey);
    },
  });
  const changed = async () => {
    const woken = new Promise<void>((resolve) => (wake = resolve));
    if (await isPollDue(woken, signal)) await poll();
  };
  const poll = async () => {
    for (const [peelId, notifiedAt] of [...result.underWay]) {
      const { record } = await retryUntil(
        () => client.ask('peel.show', { peelId, events: 0 }),
        io.now() + ROTATION_MASTER_TIMEOUT_MS,
        io,
      );
      noteLiveKey(peelId, liveKey(record)?.publicKey);
      if (result.underWay.has(peelId) && io.now() - notifiedAt > timeoutMs) settle(peelId, result.late);
    }
  };
  try {
    await nc.flush();
    for (const [peelId, publicKey] of keys) {
      while (result.underWay.size >= limit && !signal.aborted) await changed();
      if (signal.aborted) break;
      if (result.done.has(peelId)) continue;
      try {
        const { outcome } = await retryUntil(
          // name the key to replace: the peel may have rotated since the list was read
          () => client.ask('peel.rotate', { peelId, since, publicKey }),
          io.now() + ROTATION_MASTER_TIMEOUT_MS,
          io,
        );
        // the peel may have finished before the answer arrived
        if (outcome === 'done') settle(peelId, result.done);
        else if (!result.done.has(peelId)) {
          if (outcome === 'told') result.underWay.set(peelId, io.now());
          else result.asked.add(peelId);
        }
        report();
      } catch (error) {
        if (!(error instanceof ZesterError)) throw error;
        if (!error.code.startsWith('ERR_FLEET_') || error.code === 'ERR_FLEET_DENIED') throw error;
        result.failed.set(peelId, error);
        options.onFailed(peelId, error);
      }
    }
    while (options.wait && result.underWay.size > 0 && !signal.aborted) await changed();
    return result;
  } finally {
    subscription.unsubscribe();
  }
}

/** Waits until woken, aborted, or the next poll is due. @returns whether it is due */
async function isPollDue(woken: Promise<void>, signal: AbortSignal): Promise<boolean> {
  const timer = new AbortController();
  const either = AbortSignal.any([signal, timer.signal]);
  const waited = delay(ROTATION_POLL_MS, 'poll', { signal: either }).catch(() => undefined);
  const why = await Promise.race([woken, waited]);
  timer.abort();
  return why === 'poll';
}
