// Decides whether a server's health report means that JetStream has stopped writing.
import { printable } from '../text/printable.js';

/** nats-server's messages for a sticky write error, and for JetStream that it disabled by itself. */
const STOPPED = /write error|apply error|no space left|JetStream not enabled/i;

/**
 * The message of a server's health report (`HEALTHZ`) about a JetStream that no longer writes.
 *
 * @param error its `error`, as sent by the server
 * @returns the server's message, printable; undefined: no such problem. Other reports, such as a cluster without a
 *   leader yet, are transient
 * @example storageProblem('JetStream not enabled (10076)'); // 'JetStream not enabled (10076)'
 */
export function storageProblem(error: unknown): string | undefined {
  if (typeof error !== 'string' || !STOPPED.test(error)) return undefined;
  return printable(error);
}

/** The message of the finding. */
export function describeStorageProblem(reason: string): string {
  return `JetStream has stopped writing: ${reason}`;
}

/**
 * Whether too many servers have stopped writing, so that JetStream has no majority left.
 *
 * @param failed of `servers`
 */
export function withoutMajority(failed: number, servers: number): boolean {
  return failed > 0 && failed * 2 >= servers;
}

/** How to fix it. */
export const STORAGE_PROBLEM_FIX =
  'make room on its disk, then restart it ("zester server" and "zester up" do that by themselves)';
