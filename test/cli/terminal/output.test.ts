import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { confirm } from '../../../src/cli/terminal/confirm.js';
import { errorLine } from '../../../src/cli/terminal/error-line.js';
import { createLog } from '../../../src/cli/terminal/log.js';
import { processIo, type CliIo } from '../../../src/cli/terminal/io.js';
import { Output, table } from '../../../src/cli/terminal/output.js';
import { FleetError } from '../../../src/errors.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';

const EVIL = '\u001b]0;pwned\u0007\u001b[31m\nok web-02\r\u009b2J\u202e\u200b\u061c\u2060\ufeff';
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const evil = fc.string({ unit: fc.constantFrom(...EVIL, '[32m', 'a') });

/** Shared: each instance adds listeners to the process's streams. */
const own = processIo();

function captured(isTTY = false): { io: CliIo; out: () => string; err: () => string } {
  let out = '';
  let err = '';
  const stdout = { write: (text: string) => void (out += text), isTTY };
  const stderr = { write: (text: string) => void (err += text), isTTY };
  return { io: { ...own, stdout, stderr, env: {} }, out: () => out, err: () => err };
}

describe('the output of a command', () => {
  it('is one line per entry, and nothing in it moves the cursor', () => {
    fc.assert(
      fc.property(evil, (text) => {
        const { io, out, err } = captured();
        const output = new Output(io, {});
        output.lines([text, text]);
        output.result([text, ...table([['name', text]])], {});
        output.event(text, {});
        output.note(text);
        output.warn(text);
        expect(out().split('\n')).toHaveLength(6);
        expect(err().split('\n')).toHaveLength(3);
        expect(UNSAFE.test((out() + err()).replaceAll('\n', ''))).toBe(false);
      }),
    );
  });

  it('is one complete JSON document with --json', () => {
    const { io, out } = captured();
    const output = new Output(io, { json: true });
    output.result([], { peels: [{ host: EVIL }] });
    expect(JSON.parse(out())).toEqual({ peels: [{ host: EVIL }] });
    expect(UNSAFE.test(out().replaceAll('\n', ''))).toBe(false);
    const more = captured();
    new Output(more.io, { json: true }).event('', { reason: EVIL });
    expect(JSON.parse(more.out())).toEqual({ reason: EVIL });
    expect(UNSAFE.test(more.out().slice(0, -1))).toBe(false);
  });

  it('contains no seed, wherever it comes from, but does contain IDs that look like one', () => {
    const seed = Buffer.from(generateKeyBundle('user').seed).toString();
    const id = `S${'A'.repeat(51)}`;
    for (const json of [false, true]) {
      const { io, out, err } = captured();
      const output = new Output(io, { json });
      output.result([`${seed}.creds`, id], { path: `${seed}.creds`, [seed]: [seed], id });
      output.event(`at ${seed}`, { at: seed });
      output.note(seed);
      output.warn(seed);
      expect(out() + err()).not.toContain(seed);
      expect(out()).toContain('(a seed).creds');
      expect(out()).toContain(id);
    }
  });

  it('has our own colours on a terminal, and no others', () => {
    const { io, out } = captured(true);
    const output = new Output(io, {});
    output.lines([`${output.colour('green', `ok${EVIL}`)}  ${EVIL}`]);
    const text = out();
    expect(text.startsWith('\u001b[32mok')).toBe(true);
    expect(UNSAFE.test(text.slice(5, -1).replace('\u001b[39m', ''))).toBe(false);
  });
});

describe('other sinks', () => {
  it('show an error in one line, with its code, cause and stack made safe', () => {
    const cause = new Error(`cause ${EVIL}\n    at forged (frame.js:1:1)`);
    const error = Object.assign(new Error(`what ${EVIL}`, { cause }), { code: `ERR${EVIL}` });
    for (const json of [false, true]) {
      const line = errorLine(error, { json, debug: false });
      expect(line.split('\n')).toHaveLength(2);
      expect(UNSAFE.test(line.slice(0, -1))).toBe(false);
    }
    const debug = errorLine(error, { json: false, debug: true });
    expect(UNSAFE.test(debug.replaceAll('\n', ''))).toBe(false);
    expect(debug).toContain('output.test.ts');
    expect(debug).not.toMatch(/^ {4}at forged/m);
    expect(debug).not.toMatch(/^ok web-02/m);
  });

  it('get errors of the library with their messages made safe already', () => {
    const { message } = new FleetError('ERR_FLEET_ANSWER', `said ${EVIL}`);
    expect(UNSAFE.test(message)).toBe(false);
  });

  it('prompt in one line', async () => {
    const asked: string[] = [];
    await confirm({ ...captured().io, ask: async (question) => (asked.push(question), 'y') }, EVIL, false);
    expect(asked).toHaveLength(1);
    expect(UNSAFE.test(asked[0] ?? '')).toBe(false);
  });

  it.each([false, true])('log one document per line, without losing any (terminal: %s)', async (isTTY) => {
    const { io, err } = captured(isTTY);
    const log = await createLog({ level: 'info' }, { ...io, env: { NO_COLOR: '1' } });
    log.warn({ reason: EVIL, [EVIL]: { tags: [EVIL] } }, `refused ${EVIL}`);
    expect(err().split('\n')).toHaveLength(2);
    expect(UNSAFE.test(err().slice(0, -1))).toBe(false);
    if (!isTTY) expect(JSON.parse(err())).toMatchObject({ reason: EVIL, [EVIL]: { tags: [EVIL] } });
  });
});
