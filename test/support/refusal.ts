import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { inspect } from 'node:util';
import { expect } from 'vitest';
import { decodeSeed } from '../../src/nkeys/encoding.js';
import { ZesterError } from '../../src/errors.js';

/**
 * The text of a seed, or of most of one. A public key never starts with S, but may contain one in its middle, so the
 * preceding character matters. The ID of a JWT may start with S, and is recognized by its 52 letters.
 */
export const SEED = /(?<![A-Z2-7])(?![A-Z2-7]{52}(?![A-Z2-7]))S[A-Z2-7]{30,}/;

/**
 * The error that `act` throws: it must be one of ours with this code, and must show no seed in any printed form.
 *
 * @param secrets seeds that were in the input
 */
export async function refusal(
  code: string,
  act: () => unknown,
  ...secrets: (Uint8Array | string)[]
): Promise<ZesterError> {
  let thrown: unknown;
  let returned: unknown = nothing;
  try {
    returned = await act();
  } catch (error) {
    thrown = error;
  }
  expect(returned, 'it was not refused').toBe(nothing);
  expect(thrown).toBeInstanceOf(ZesterError);
  const error = thrown as ZesterError;
  expect(error.code, error.message).toBe(code);
  expect(error.name).toBe(error.constructor.name);
  expect(error.message).not.toBe('');
  expectNoSeed(error, ...secrets);
  return error;
}

const nothing = Symbol('nothing');

/** Checks that a value shows no seed in any way that a program prints, logs or copies values. */
export function expectNoSeed(value: unknown, ...secrets: (Uint8Array | string)[]): void {
  const shown = everyViewOf(value).join('\n');
  expect(shown.length).toBeGreaterThan(10);
  expect(shown).not.toMatch(SEED);
  for (const secret of secrets) {
    for (const form of formsOf(secret)) expect(shown.includes(form), `shows a seed, as ${form}`).toBe(false);
  }
}

/** Every text form of a value when it is printed, logged, serialised or copied. */
function everyViewOf(value: unknown): string[] {
  const deep = {
    depth: Infinity,
    maxArrayLength: Infinity,
    maxStringLength: Infinity,
    breakLength: Infinity,
  };
  const views = [
    String(value),
    `${value as string}`,
    inspect(value),
    inspect(value, { ...deep, showHidden: true, showProxy: true }),
    inspect({ nested: [value] }, { ...deep, showHidden: true }),
    inspect(value, { ...deep, customInspect: false, showHidden: true }),
    JSON.stringify(value) ?? '',
    JSON.stringify({ nested: [value] }),
    logged(value),
    inspect(Object.entries(value as object), deep),
  ];
  try {
    views.push(inspect(structuredClone(value), { ...deep, showHidden: true }));
  } catch (error) {
    // it contains a function and cannot be cloned; the message must not show the value
    views.push(inspect(error, { ...deep, showHidden: true }));
  }
  if (value instanceof Error) views.push(value.message, value.stack ?? '', String(value.cause));
  return views;
}

/** The output of console.log, console.error, console.dir and console.table. */
function logged(value: unknown): string {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const printer = new Console({ stdout: stream, stderr: stream });
  printer.log(value);
  printer.log('%s %o %O %j', value, value, value, value);
  printer.error(value);
  printer.dir(value, { depth: null, showHidden: true });
  printer.table([value]);
  return text;
}

/** A seed's text and raw bytes, in all printed forms of bytes. */
function formsOf(secret: Uint8Array | string): string[] {
  const text = Buffer.from(secret as string).toString('latin1');
  const bytesOfText = Buffer.from(text);
  const forms = [text];
  let raw: Uint8Array;
  try {
    raw = decodeSeed(text).raw;
  } catch {
    return forms; // a damaged seed: only its text is a secret
  }
  for (const bytes of [bytesOfText, Buffer.from(raw)]) {
    forms.push(
      bytes.toString('hex'),
      bytes.toString('base64').slice(0, 40),
      bytes.toString('base64url').slice(0, 40),
      [...bytes].slice(0, 12).join(','),
      [...bytes].slice(0, 12).join(', '),
      [...bytes]
        .slice(0, 12)
        .map((b) => b.toString(16).padStart(2, '0'))
        .join(' '),
    );
  }
  return forms;
}
