// Prints results, tables, JSON, notes and warnings.
import { randomBytes } from 'node:crypto';
import { jsonChunks, jsonStream } from '../../text/json-chunks.js';
import { printable, printableJson } from '../../text/printable.js';
import { withoutWholeSeeds } from '../../text/whole-seeds.js';
import { columns, widthOf, type Column } from './columns.js';
import type { CliIo } from './io.js';
import { WriteBatch } from './write-batch.js';

/** The options of every command. */
export interface GlobalOptions {
  json?: boolean;
  quiet?: boolean;
  debug?: boolean;
  wide?: boolean;
}

type Colour = 'green' | 'red' | 'yellow' | 'dim';
const SGR: Readonly<Record<Colour, [number, number]>> = {
  green: [32, 39],
  red: [31, 39],
  yellow: [33, 39],
  dim: [2, 22],
};

/**
 * The output of a command: its result on standard output, remarks on standard error. Its input may come from a peel, a
 * server or a file, and is sanitized here, in the only place that writes, so callers cannot forget it. A line stays one
 * line, whatever it contains. It never contains a seed.
 */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Whether the result goes to a terminal, so that lines should fit it. */
  readonly #narrow: boolean;
  readonly #io: CliIo;
  /**
   * A placeholder for a colour's escape sequence until the line is written. It cannot be guessed, so it cannot be
   * forged.
   */
  #colourMark: string | undefined;

  constructor(io: CliIo, options: GlobalOptions) {
    this.#io = io;
    this.json = options.json === true;
    this.quiet = options.quiet === true;
    this.#narrow = io.stdout.isTTY && options.wide !== true;
  }

  /** The result: the document with `--json`, otherwise the lines. */
  result(lines: readonly string[], document: object): void {
    if (!this.json) return this.lines(lines);
    for (const chunk of jsonChunks(document)) this.#io.stdout.write(safeJson(chunk));
    this.#io.stdout.write('\n');
  }

  /**
   * The `--json` document whose first value is an array that arrives in parts; each part is printed at once.
   *
   * @param rest the values after the array, once it is complete
   */
  async document(name: string, array: AsyncIterable<object>, rest: () => object): Promise<void> {
    const batch = new WriteBatch((text) => this.#io.stdout.write(safeJson(text)));
    try {
      for await (const chunk of jsonStream(name, array, rest)) batch.add(chunk);
      batch.add('\n');
    } finally {
      batch.flush();
    }
  }

  /** A seed that the user asked to print: the only result that is a secret. */
  seed(seed: string, document: object): void {
    this.#io.stdout.write(`${this.json ? JSON.stringify(document) : seed}\n`);
  }

  /** Formats items in columns; on a terminal they fit its width, unless `--wide` is given. */
  columns<T>(items: readonly T[], shape: readonly Column<NoInfer<T>>[]): string[] {
    return columns(items, shape, this.#narrow ? widthOf(this.#io.stdout) : undefined);
  }

  /** A public key for display: shortened on a terminal, complete in a pipe and with `--wide`. */
  key(publicKey: string): string {
    return this.#narrow && publicKey.length > 20
      ? `${publicKey.slice(0, 7)}…${publicKey.slice(-6)}`
      : publicKey;
  }

  /** Lines of a result that arrives in parts; with `--json` the document comes at the end instead. */
  lines(lines: readonly string[]): void {
    if (this.json || lines.length === 0) return;
    this.#io.stdout.write(`${lines.map((line) => this.#line(line)).join('\n')}\n`);
  }

  /** A multi-line text result, such as a configuration; with `--json` the document. */
  text(text: string, document: object): void {
    this.result(text.replace(/\n$/, '').split('\n'), document);
  }

  /** An event of a long-running command: with `--json`, one document per line. */
  event(line: string, document: object): void {
    this.#io.stdout.write(`${this.json ? safeJson(JSON.stringify(document)) : this.#line(line)}\n`);
  }

  /** Useful information that is not part of the result; not with `--quiet`. */
  note(text: string): void {
    if (!this.quiet) this.#io.stderr.write(`${safe(text)}\n`);
  }

  /** A warning; shown with `--quiet` too. */
  warn(text: string): void {
    this.#io.stderr.write(`zester: warning: ${safe(text)}\n`);
  }

  /**
   * Coloured text, if a terminal shows it and `NO_COLOR` (no-color.org) does not forbid it. Only for lines of a
   * result, events and lines.
   */
  colour(colour: Colour, text: string): string {
    const { env, stdout } = this.#io;
    if (!stdout.isTTY || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return text;
    const [on, off] = SGR[colour];
    const mark = (this.#colourMark ??= `\u001b${randomBytes(8).toString('hex')}:`);
    return `${mark}${on};${text}${mark}${off};`;
  }

  #line(line: string): string {
    if (this.#colourMark === undefined) return safe(line);
    const [first = '', ...coloured] = line.split(this.#colourMark);
    return coloured.reduce((text, part) => {
      const end = part.indexOf(';');
      return `${text}\u001b[${part.slice(0, end)}m${safe(part.slice(end + 1))}`;
    }, safe(first));
  }
}

function safe(text: string): string {
  return printable(withoutWholeSeeds(text));
}

function safeJson(json: string): string {
  return printableJson(withoutWholeSeeds(json));
}

/** Rows of a name and a value, with the values aligned; a value with several parts takes several lines. */
export function table(
  rows: readonly (readonly [name: string, value: string | readonly string[]])[],
): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map(
      (part, i) => `  ${(i === 0 ? name : '').padEnd(width)}  ${part}`,
    ),
  );
}
