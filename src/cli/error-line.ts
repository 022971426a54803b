import { redactSeeds } from '../errors.js';
import { plain } from './plain-text.js';

/** How an error is shown. */
export interface ErrorLineOptions {
  /** One JSON document instead of a sentence. */
  json: boolean;
  /** The stack and the causes below the line. */
  debug: boolean;
}

/** An error as the one line of standard error that a command ends with (more with `debug`). It never holds a seed. */
export function errorLine(error: unknown, options: ErrorLineOptions): string {
  const { message, code } = describe(error);
  const line = options.json
    ? JSON.stringify({ error: { ...(code !== undefined && { code }), message } })
    : `zester: ${message}${code === undefined ? '' : ` [${code}]`}`;
  return options.debug ? `${line}\n${stackOf(error)}` : `${line}\n`;
}

function describe(error: unknown): { message: string; code: string | undefined } {
  const text = error instanceof Error ? error.message || error.name : String(error);
  const { code } = (error ?? {}) as { code?: unknown };
  return {
    message: plain(redactSeeds(text.trim().replace(/\s*\n\s*/g, ' '))),
    code: typeof code === 'string' ? code : undefined,
  };
}

function stackOf(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error && parts.length < 8; at = at.cause)
    parts.push(at.stack ?? String(at));
  return parts.length === 0 ? '' : `${redactSeeds(parts.join('\ncaused by: '))}\n`;
}
