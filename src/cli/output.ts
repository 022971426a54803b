import type { CliIo } from './io.js';
import { plain } from './plain-text.js';

/** The options that every command has. */
export interface GlobalOptions {
  json?: boolean;
  quiet?: boolean;
  debug?: boolean;
}

type Colour = 'green' | 'red' | 'yellow' | 'dim';
const SGR: Readonly<Record<Colour, [number, number]>> = {
  green: [32, 39],
  red: [31, 39],
  yellow: [33, 39],
  dim: [2, 22],
};

/** What a command says: its result on standard output, remarks on standard error. */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly #io: CliIo;

  constructor(io: CliIo, options: GlobalOptions) {
    this.#io = io;
    this.json = options.json === true;
    this.quiet = options.quiet === true;
  }

  /** The result: with `--json` the document, without it the lines. */
  result(lines: readonly string[], document: object): void {
    if (this.json) this.#io.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    else this.lines(lines);
  }

  /** Lines of a result that comes bit by bit; with `--json` the document comes at the end instead. */
  lines(lines: readonly string[]): void {
    if (!this.json && lines.length > 0) this.#io.stdout.write(`${lines.join('\n')}\n`);
  }

  /** One event of a command that goes on: with `--json` one document a line. */
  event(line: string, document: object): void {
    this.#io.stdout.write(`${this.json ? JSON.stringify(document) : plain(line)}\n`);
  }

  /** What is good to know and no part of the result; not with `--quiet`. */
  note(text: string): void {
    if (!this.quiet) this.#io.stderr.write(`${plain(text)}\n`);
  }

  /** What the user should look at; `--quiet` does not hide it. */
  warn(text: string): void {
    this.#io.stderr.write(`zester: warning: ${plain(text)}\n`);
  }

  /** Text in a colour, where a terminal shows it and `NO_COLOR` (no-color.org) does not forbid it. */
  colour(colour: Colour, text: string): string {
    const { env, stdout } = this.#io;
    if (!stdout.isTTY || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return text;
    const [on, off] = SGR[colour];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  }
}

/** Rows of a name and a value, the values in one column; a value of several parts takes several lines. */
export function table(
  rows: readonly (readonly [name: string, value: string | readonly string[]])[],
): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map(
      (part, i) => `  ${(i === 0 ? name : '').padEnd(width)}  ${plain(part)}`,
    ),
  );
}
