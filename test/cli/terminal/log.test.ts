import { describe, expect, it } from 'vitest';
import { createLog, readableLine } from '../../../src/cli/terminal/log.js';
import { processIo, type CliIo } from '../../../src/cli/terminal/io.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import type { Role } from '../../../src/nkeys/roles.js';
import { SEED } from '../../support/refusal.js';

/** A log, and its output. */
function logTo(isTTY: boolean): { io: CliIo; text: () => string } {
  let text = '';
  const stderr = { write: (part: string) => void (text += part), isTTY };
  return { io: { ...processIo(), stderr, env: {} }, text: () => text };
}

describe('the log of a long-running program', () => {
  it('is JSON, one document per line, unless it goes to a terminal', async () => {
    const { io, text } = logTo(false);
    const log = await createLog({ level: 'info' }, io);
    log.info({ peelId: 'web-01' }, 'issued');
    log.warn({}, 'careful');
    const lines = text()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), peelId: 'web-01', msg: 'issued' },
      { level: 'warn', time: expect.any(String), msg: 'careful' },
    ]);
  });

  it('is JSON on a terminal too with --json', async () => {
    const { io, text } = logTo(true);
    (await createLog({ level: 'info', json: true }, io)).info({ n: 1 }, 'x');
    expect(JSON.parse(text())).toMatchObject({ n: 1, msg: 'x' });
  });

  it('is human-readable on a terminal', async () => {
    const { io, text } = logTo(true);
    const log = await createLog({ level: 'info' }, { ...io, env: { NO_COLOR: '1' } });
    log.info({ peelId: 'web-01', keys: ['a'] }, 'issued');
    expect(text()).toMatch(/^\d\d:\d\d:\d\d INFO {2}issued {2}peelId=web-01 {2}keys=\["a"\]\n$/);
  });

  it('does not let logged text move a terminal’s cursor', () => {
    const line = JSON.stringify({ level: 'info', time: '', msg: 'a\u001b[2Jb\nc' });
    expect(readableLine(line, false)).toContain('a\\u001b[2Jb\\u000ac');
  });

  it('omits lines below its level', async () => {
    const { io, text } = logTo(false);
    const log = await createLog({ level: 'warn' }, io);
    log.debug({}, 'a');
    log.info({}, 'b');
    expect(text()).toBe('');
    log.error({}, 'c');
    expect(text()).toContain('"msg":"c"');
  });

  it.each([
    ['JSON', false],
    ['lines for people', true],
  ])('never contains a seed, wherever it comes from: %s', async (_form, isTTY) => {
    const { io, text } = logTo(isTTY);
    const log = await createLog({ level: 'debug' }, io);
    for (const role of ['user', 'account', 'operator'] satisfies Role[]) {
      const seed = Buffer.from(generateKeyBundle(role).seed).toString();
      log.info({ seed }, 'as a field');
      log.warn({ deep: [{ er: { seed } }] }, 'deeper');
      log.error({ err: new Error(`bad seed ${seed}`) }, `in the words: ${seed}`);
      log.debug({ [seed]: 1 }, 'as a name');
      log.info({ text: `\n${seed}\n` }, 'between lines');
      // in JSON, an escape is in front of it, whose end looks like a part of the word
      log.info({ text: `\u0002${seed}` }, `\u0017${seed}`);
      const encoded = Buffer.from(seed).toString('base64');
      log.warn({ text: `\n${encoded}` }, `\u001b${encoded}`);
      expect(text()).not.toContain(encoded);
      expect(text()).not.toContain(seed);
    }
    expect(text()).not.toMatch(SEED);
    expect(text()).toContain('(a seed)');
  });
});
