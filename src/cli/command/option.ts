// Builders for options and arguments, with help texts and parsers.
import { UsageError } from '../../errors.js';
import { parseExpiry, parseExpiryOrNever, parsePast, parseSpan } from '../options/duration.js';
import type { CliIo } from '../terminal/io.js';
import { seedPath } from '../options/seed-path.js';

/** One spelling of an option, as commander writes it: `-n, --last <n>`. */
export interface OptionFlag {
  readonly flags: string;
  readonly about: string;
}

/** An option, and the type of the value that `run` gets. */
export interface CommandOption<T> {
  /** One flag; two for an option with `--x` and `--no-x`. */
  readonly flags: readonly OptionFlag[];
  readonly choices?: readonly string[];
  /** The default text, shown in the help. */
  readonly fallback?: string;
  /** Required. */
  readonly required?: boolean;
  /** Repeatable, with one word each time; `read` gets all of them. */
  readonly repeated?: boolean;
  /** Its heading in the help; "Options" by default. */
  readonly group?: string;
  /**
   * Parses the command-line value: a string, several strings or a boolean; undefined if absent.
   *
   * @throws UsageError that names the option
   */
  readonly read: (given: unknown, io: CliIo) => T;
}

/** An argument, and the type of the value that `run` gets. */
export interface CommandArgument<T> {
  /** In commander's form: `<name>`, `[name]`, `<name...>` or `[name...]`. */
  readonly syntax: (name: string) => string;
  readonly about: string;
  readonly choices?: readonly string[];
  readonly read: (given: unknown, io: CliIo) => T;
}

/** The values of a record of options or arguments. */
export type ValuesOf<S> = {
  [K in keyof S]: S[K] extends CommandOption<infer T> ? T : S[K] extends CommandArgument<infer T> ? T : never;
};

type Read<T> = (text: string, io: CliIo) => T;

const longName = (flags: string): string => /--[\w-]+/.exec(flags)?.[0] ?? flags;

/** A flag without a value: true if given. */
export function flag(flags: string, about: string): CommandOption<boolean> {
  return { flags: [{ flags, about }], read: (given) => given === true };
}

/** A flag without a default: true, or undefined if absent. */
export function given(flags: string, about: string): CommandOption<true | undefined> {
  return { flags: [{ flags, about }], read: (value) => (value === true ? true : undefined) };
}

/** A `--no-x` flag: false if given. */
export function unless(flags: string, about: string): CommandOption<boolean> {
  return { flags: [{ flags, about }], read: (given) => given !== false };
}

/** `--x` and `--no-x`: true, false, or undefined if neither is given. */
export function toggle(yes: OptionFlag, no: OptionFlag): CommandOption<boolean | undefined> {
  return { flags: [yes, no], read: (given) => (typeof given === 'boolean' ? given : undefined) };
}

/** A value that `read` parses; `fallback` is the default text. */
export function option<T>(flags: string, about: string, read: Read<T>, fallback: string): CommandOption<T>;
export function option<T>(
  flags: string,
  about: string,
  read: Read<T>,
  fallback?: string,
): CommandOption<T | undefined>;
export function option<T>(
  flags: string,
  about: string,
  read: Read<T>,
  fallback?: string,
): CommandOption<T | undefined> {
  return {
    flags: [{ flags, about }],
    ...(fallback !== undefined && { fallback }),
    read: (given, io) => {
      const text = typeof given === 'string' ? given : fallback;
      return text === undefined ? undefined : read(text, io);
    },
  };
}

/** A value without parsing. */
export function text(flags: string, about: string, fallback: string): CommandOption<string>;
export function text(flags: string, about: string): CommandOption<string | undefined>;
export function text(flags: string, about: string, fallback?: string): CommandOption<string | undefined> {
  const read = (given: string) => given;
  return option(flags, about, read, fallback);
}

/** A required value. */
export function requiredText(flags: string, about: string): CommandOption<string> {
  return { flags: [{ flags, about }], required: true, read: String };
}

/** Repeatable, one word each time, so that a following argument is not parsed as another value. */
export function repeated(flags: string, about: string): CommandOption<string[] | undefined> {
  return { ...list(flags, about), repeated: true };
}

/** Several values. */
export function list(flags: string, about: string): CommandOption<string[] | undefined> {
  return {
    flags: [{ flags, about }],
    read: (given) => (Array.isArray(given) ? given.map(String) : undefined),
  };
}

/** One of a few words. */
export function choice<const W extends string>(
  flags: string,
  about: string,
  words: readonly W[],
  fallback: NoInfer<W>,
): CommandOption<W>;
export function choice<const W extends string>(
  flags: string,
  about: string,
  words: readonly W[],
): CommandOption<W | undefined>;
export function choice<W extends string>(
  flags: string,
  about: string,
  words: readonly W[],
  fallback?: W,
): CommandOption<W | undefined> {
  return {
    flags: [{ flags, about }],
    choices: words,
    ...(fallback !== undefined && { fallback }),
    read: (given) => words.find((word) => word === given) ?? fallback,
  };
}

/** A span of time such as 500ms, 10s or 5m; the value is in milliseconds. */
export function span(flags: string, about: string, fallback: string): CommandOption<number>;
export function span(flags: string, about: string): CommandOption<number | undefined>;
export function span(flags: string, about: string, fallback?: string): CommandOption<number | undefined> {
  const read = (given: string) => parseSpan(longName(flags), given);
  return option(flags, about, read, fallback);
}

/** A whole number within bounds. */
export function count(
  flags: string,
  about: string,
  bounds: { min: number; max: number },
  fallback: string,
): CommandOption<number>;
export function count(
  flags: string,
  about: string,
  bounds: { min: number; max: number },
): CommandOption<number | undefined>;
export function count(
  flags: string,
  about: string,
  { min, max }: { min: number; max: number },
  fallback?: string,
): CommandOption<number | undefined> {
  const read = (given: string) => wholeNumber(longName(flags), given, min, max);
  return option(flags, about, read, fallback);
}

/** The path of a seed file. A seed given instead is refused without repeating it. */
export function seedFile(flags: string, about: string): CommandOption<string | undefined> {
  return option(flags, about, (given) => seedPath(longName(flags), given));
}

/** The same options, under another heading of the help. */
export function grouped<S extends Readonly<Record<string, CommandOption<unknown>>>>(
  group: string,
  options: S,
): S {
  const entries = Object.entries(options).map(([name, declared]) => [name, { ...declared, group }]);
  return Object.fromEntries(entries) as S;
}

/** A required argument. */
export function argument(about: string): CommandArgument<string>;
export function argument<T>(about: string, read: Read<T>): CommandArgument<T>;
export function argument<T>(about: string, read?: Read<T>): CommandArgument<T | string> {
  return {
    syntax: (name) => `<${name}>`,
    about,
    read: (given, io) => (read === undefined ? String(given) : read(String(given), io)),
  };
}

/** An optional argument. */
export function optionalArgument(about: string): CommandArgument<string | undefined>;
export function optionalArgument<T>(about: string, read: Read<T>): CommandArgument<T | undefined>;
export function optionalArgument<T>(about: string, read?: Read<T>): CommandArgument<T | string | undefined> {
  return {
    syntax: (name) => `[${name}]`,
    about,
    read: (given, io) => {
      if (given === undefined) return undefined;
      return read === undefined ? String(given) : read(String(given), io);
    },
  };
}

/** The rest of the line: at least one word with `atLeastOne`. */
export function words(about: string, { atLeastOne = false } = {}): CommandArgument<string[]> {
  return {
    syntax: (name) => (atLeastOne ? `<${name}...>` : `[${name}...]`),
    about,
    read: (given) => (Array.isArray(given) ? given.map(String) : []),
  };
}

/** One of a few words. */
export function choiceArgument<const W extends string>(
  about: string,
  choices: readonly W[],
): CommandArgument<W> {
  return {
    syntax: (name) => `<${name}>`,
    about,
    choices,
    read: (given) => given as W, // the parser refuses any other word
  };
}

/** @throws UsageError that names the option */
export function wholeNumber(name: string, given: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(given) ? Number(given) : NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${name} must be a whole number from ${min} to ${max}, not "${given}"`);
}

/** A lifetime, or an end date; the value is in seconds from now. */
export function lifetime(flags: string, about: string, fallback: string): CommandOption<number>;
export function lifetime(flags: string, about: string): CommandOption<number | undefined>;
export function lifetime(flags: string, about: string, fallback?: string): CommandOption<number | undefined> {
  const read = (given: string, io: CliIo) => parseExpiry(given, io.now());
  return option(flags, about, read, fallback);
}

/** Like {@link lifetime}; `0` or `none` means that the credential never expires: the value is 0 then. */
export function lifetimeOrNever(flags: string, about: string, fallback: string): CommandOption<number>;
export function lifetimeOrNever(flags: string, about: string): CommandOption<number | undefined>;
export function lifetimeOrNever(
  flags: string,
  about: string,
  fallback?: string,
): CommandOption<number | undefined> {
  return option(flags, about, (given, io) => parseExpiryOrNever(given, io.now()), fallback);
}

/** A time in the past: an age or a date; the value is in milliseconds since 1970. */
export function past(flags: string, about: string): CommandOption<number | undefined> {
  return option(flags, about, (given, io) => parsePast(given, io.now()));
}
