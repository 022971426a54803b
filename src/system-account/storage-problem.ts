// Decides whether a server's health report means that JetStream has stopped writing.
import { printable } from '../text/printable.js';

/** nats-server's messages: a write error that it remembers, or JetStream that it has disabled by itself. */
const STOPPED = /write error|apply error|no space left|JetStream not enabled/i;

/**
 * What a server's health report (`HEALTHZ`) says about a JetStream that no longer writes.
 *
 * @param error its `error`, as the server sent it
 * @returns the server's words, printable; undefined: it reports nothing of the kind. Other reports, as of a cluster that has no leader
 *   yet, pass by themselves
 * @example storageProblem('JetStream not enabled (10076)'); // 'JetStream not enabled (10076)'
 */
export function storageProblem(error: unknown): string | undefined {
  if (typeof error !== 'string' || !STOPPED.test(error)) return undefined;
  return printable(error);
}

/** The finding about it. */
export function storageProblemWords(reason: string): string {
  return `JetStream has stopped writing: ${reason}`;
}

/**
 * Whether so many servers have stopped writing that JetStream can decide nothing: no majority is left.
 *
 * @param failed of `servers`
 */
export function withoutMajority(failed: number, servers: number): boolean {
  return failed > 0 && failed * 2 >= servers;
}

/** How to fix it. */
export const STORAGE_PROBLEM_FIX =
  'make room on its disk, then restart it ("zester server" and "zester up" do that by themselves)';
