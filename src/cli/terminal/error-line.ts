// Formats an error as one line, or with its stack.
import { redactSeeds } from '../../errors.js';
import { oneLine, printable, printableJson } from '../../text/printable.js';

/** The format of an error. */
export interface ErrorLineOptions {
  /** One JSON document instead of a sentence. */
  json: boolean;
  /** Add the stack and the causes. */
  debug: boolean;
}

/** Formats the error of a command as one line (more with `debug`). It never contains a seed. */
export function errorLine(error: unknown, options: ErrorLineOptions): string {
  const { message, code } = describe(error);
  const line = options.json
    ? printableJson(JSON.stringify({ error: { ...(code !== undefined && { code }), message } }))
    : printable(`zester: ${message}${code === undefined ? '' : ` [${code}]`}`);
  return options.debug ? `${line}\n${stacksOf(error)}` : `${line}\n`;
}

function describe(error: unknown): { message: string; code: string | undefined } {
  const text = error instanceof Error ? error.message || error.name : String(error);
  const { code } = (error ?? {}) as { code?: unknown };
  return {
    message: redactSeeds(oneLine(text)),
    code: typeof code === 'string' ? code : undefined,
  };
}

function stacksOf(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error && parts.length < 8; at = at.cause) parts.push(stackOf(at));
  return parts.length === 0 ? '' : `${redactSeeds(parts.join('\ncaused by: '))}\n`;
}

/** The message in one line, followed by the frames, so that a line break in a message cannot fake a frame. */
function stackOf(error: Error): string {
  const { name, message, stack = '' } = error;
  const from = message === '' ? -1 : stack.indexOf(message);
  const frames = (from < 0 ? stack : stack.slice(from + message.length)).split('\n').slice(1);
  return [printable(oneLine(`${name}: ${message}`)), ...frames.map(printable)].join('\n');
}
