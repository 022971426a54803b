// Parses lines of nats-server's log.

/** A level of the log of a program that embeds a nats-server. */
export type ServerLogLevel = 'debug' | 'warn' | 'error';

/** A line of a nats-server's log, read. */
export interface ServerLogLine {
  level: ServerLogLevel;
  text: string;
}

/**
 * What JetStream warns of for each stream when it starts after a kill. It rebuilds the index and loses nothing, and the
 * number of lines grows with the streams: the start itself is what there is to tell.
 */
const RECOVERY =
  /^Filestore \[[^\]]*\] (Stream state outdated, .*will rebuild|Recovering stream state from index errored: prior state file)$/;

/**
 * Reads a line of a nats-server's log, and gives it the level it has in ours: warnings and errors keep theirs; what the
 * server says about its start, or about an index that it rebuilds after a kill, is for debugging.
 *
 * @example readServerLogLine('[7] 2026/01/02 03:04:05.678901 [ERR] no space left'); // { level: 'error', text: 'no space left' }
 */
export function readServerLogLine(line: string): ServerLogLine {
  const [, level = 'INF', text = line] = /^\[\d+\] [\d/]+ [\d:.]+ \[(\w+)\] (.*)$/.exec(line) ?? [];
  if (level === 'ERR' || level === 'FTL') return { level: 'error', text };
  if (level === 'WRN' && !RECOVERY.test(text)) return { level: 'warn', text };
  return { level: 'debug', text };
}
