// Decides how many clients a server may accept.

/** nats-server's own default. */
export const MAX_CONNECTIONS = 65_536;
/** Files that a server needs in addition to its clients: JetStream, the other servers, logs. */
const OTHER_FILES = 1_000;

/**
 * How many clients a server may accept: fewer than its open file limit. At that limit it could neither accept a client
 * nor open a JetStream file; a client that is refused by a full server tries the next one.
 *
 * @param openFiles the limit on a process's open files; undefined: unknown
 *
 * @example
 * connectionLimit(20_000); // 19000
 */
export function connectionLimit(openFiles: number | undefined): number {
  if (openFiles === undefined) return MAX_CONNECTIONS;
  return Math.min(MAX_CONNECTIONS, Math.floor(Math.max(openFiles - OTHER_FILES, openFiles / 2)));
}

/**
 * The hard limit on open files from the text of `/proc/self/limits`, up to which a child process may raise its own.
 * Source: man 5 proc.
 *
 * @returns undefined if there is none, or it cannot be parsed
 */
export function openFilesIn(limits: string | undefined): number | undefined {
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(limits ?? '')?.[1];
  return hard === undefined ? undefined : Number(hard);
}
