// The sinks of credentials in bulk, and the output of each.

/** The names of the sinks. */
export type SinkName = 'dir' | 'ndjson' | 'age' | 'kubernetes' | 'tar' | 'exec';

/**
 * The output of each sink: `files`, one per peel, which --resume checks directly; `stream`, one stream of documents;
 * `archive`, one stream that is useless unless complete; `elsewhere`, through a program.
 */
export const SINKS: Readonly<Record<SinkName, 'files' | 'stream' | 'archive' | 'elsewhere'>> = {
  dir: 'files',
  ndjson: 'stream',
  age: 'files',
  kubernetes: 'stream',
  tar: 'archive',
  exec: 'elsewhere',
};
