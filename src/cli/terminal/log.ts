// Creates the log of a long-running command: JSON lines, or readable on a terminal.
import { redactSeeds } from '../../errors.js';
import type { MasterLogger } from '../../master/logger.js';
import { redactedJson } from '../../nkeys/redacted-json.js';
import { printable, printableJson } from '../../text/printable.js';
import type { LogLevel } from '../config/settings.js';
import type { CliIo } from './io.js';

/** The log options of a long-running program. */
export interface LogOptions {
  level: LogLevel;
  /** JSON lines on a terminal too; always used elsewhere. */
  json?: boolean;
}

/**
 * The log on standard error, written by pino: one JSON document per line; on a terminal, a readable line. Seeds are
 * never passed to it. As a safeguard, each line is searched, and anything that looks like a seed is redacted. Text
 * from peels and servers is logged too, so each line is made safe to print.
 */
export async function createLog({ level, json = false }: LogOptions, io: CliIo): Promise<MasterLogger> {
  const { pino } = await import('pino');
  const { stderr, env } = io;
  const readable = stderr.isTTY && !json;
  const colours = readable && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  const log: MasterLogger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line: string) => {
        const safe = withoutSeeds(line);
        stderr.write(readable ? `${readableLine(safe, colours)}\n` : printableJson(safe));
      },
    },
  );
  return log;
}

function withoutSeeds(line: string): string {
  const redacted = redactSeeds(line);
  // an escape may hide a seed, or be cut in half
  if (redacted === line && !line.includes('\\')) return line;
  // names are not redacted yet
  return `${redactSeeds(redactedJson(JSON.parse(line)))}\n`;
}

const COLOURS: Readonly<Record<string, number>> = { debug: 2, info: 32, warn: 33, error: 31 };

/** A readable log line: time, level, message, and then the fields. */
export function readableLine(line: string, colours: boolean): string {
  const { level = '', time = '', msg = '', ...fields } = JSON.parse(line) as Record<string, unknown>;
  const name = String(level);
  const shown = name.toUpperCase().padEnd(5);
  const mark = colours ? `\u001b[${COLOURS[name] ?? 0}m${shown}\u001b[0m` : shown;
  const more = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${String(time).slice(11, 19)} ${mark} ${printable([String(msg), ...more].join('  '))}`;
}
