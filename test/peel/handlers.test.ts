import { describe, expect, it } from 'vitest';
import { encodeJson, parseJson } from '../../src/protocol/messages.js';
import { Handlers, type HandlersOptions } from '../../src/peel/handlers.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { expectNoSeed } from '../support/refusal.js';

const make = (options: Partial<HandlersOptions> = {}) => new Handlers({ peelId: 'web-01', ...options });

async function ask(
  handlers: Handlers,
  command: unknown,
  maxBytes?: number,
): Promise<Record<string, unknown>> {
  const answer = await handlers.answer(encodeJson(command), maxBytes);
  return parseJson(Buffer.from(answer).toString()) as Record<string, unknown>;
}

/** A promise, and its resolve function. */
function gate(): { open: () => void; opened: Promise<void> } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

describe('a command', () => {
  it('is answered with its handler’s result, as JSON', async () => {
    const handlers = make();
    handlers.handle('disk.free', (args) => ({ of: args, bytes: 12 }));
    handlers.handle('later', async () => Promise.resolve([1, 2]));
    expect(await ask(handlers, { handler: 'disk.free', args: ['/', '/var'] })).toEqual({
      peelId: 'web-01',
      result: { of: ['/', '/var'], bytes: 12 },
    });
    expect(await ask(handlers, { handler: 'later', args: [] })).toMatchObject({ result: [1, 2] });
  });

  it('without a result is answered anyway', async () => {
    const handlers = make();
    handlers.handle('nothing', () => undefined);
    expect(await ask(handlers, { handler: 'nothing', args: [] })).toEqual({ peelId: 'web-01' });
  });

  it('that fails is answered with the message, and neither a stack nor a cause nor a seed', async () => {
    const handlers = make();
    const { seed } = generateKeyBundle('user');
    handlers.handle('fails', () => {
      throw new Error(`no such disk ${Buffer.from(seed).toString()}`, { cause: new Error('inner') });
    });
    const answer = await ask(handlers, { handler: 'fails', args: [] });
    expect(answer).toEqual({
      peelId: 'web-01',
      error: { code: 'ERR_FLEET_HANDLER', message: 'no such disk (a seed)' },
    });
    expectNoSeed(answer, seed);
  });

  it('without a handler is refused by name, and lists the available ones', async () => {
    const handlers = make();
    handlers.handle('one', () => 1);
    expect(await ask(handlers, { handler: 'toString', args: [] })).toMatchObject({
      error: { code: 'ERR_FLEET_NO_HANDLER', message: 'no handler "toString"; available: one' },
    });
  });

  it.each([
    ['no JSON', Buffer.from('{')],
    ['nothing', Buffer.alloc(0)],
    ['no arguments', encodeJson({ handler: 'one' })],
    ['arguments that are no texts', encodeJson({ handler: 'one', args: [1] })],
    ['a name with a space', encodeJson({ handler: 'one two', args: [] })],
    ['a name that is a path', encodeJson({ handler: '../one', args: [] })],
  ])('that is %s is refused', async (_what, data) => {
    const handlers = make();
    handlers.handle('one', () => 1);
    const answer = parseJson(Buffer.from(await handlers.answer(data)).toString());
    expect(answer).toMatchObject({ error: { code: 'ERR_FLEET_REQUEST' } });
  });

  it('whose result is not JSON or too large is answered with an error', async () => {
    const handlers = make();
    handlers.handle('big', () => 'x'.repeat(2_000));
    handlers.handle('number', () => 1n);
    const circle: Record<string, unknown> = {};
    circle['itself'] = circle;
    handlers.handle('circle', () => circle);
    for (const handler of ['big', 'number', 'circle']) {
      const answer = await ask(handlers, { handler, args: [] }, 1_000);
      expect(answer).toMatchObject({ peelId: 'web-01', error: { code: 'ERR_FLEET_HANDLER' } });
    }
  });

  it('that times out is answered with that error, its signal is aborted, and its slot is free', async () => {
    const handlers = make({ timeoutMs: 20, concurrency: 1 });
    let reason: unknown;
    handlers.handle('hangs', (_args, { signal }) => {
      signal.addEventListener('abort', () => (reason = signal.reason));
      return new Promise(() => undefined);
    });
    handlers.handle('one', () => 1);
    expect(await ask(handlers, { handler: 'hangs', args: [] })).toMatchObject({
      error: { code: 'ERR_FLEET_HANDLER', message: 'the handler did not end within 0.02 s' },
    });
    expect(reason).toBeInstanceOf(Error);
    expect(await ask(handlers, { handler: 'one', args: [] })).toMatchObject({ result: 1 });
    expect(handlers.busy).toBe(0);
  });
});

describe('many commands at once', () => {
  it('run as many as allowed, the others wait in order, and more than that are refused', async () => {
    const handlers = make({ concurrency: 2, queue: 2 });
    const gates = [gate(), gate(), gate(), gate()];
    const started: number[] = [];
    handlers.handle('wait', async ([i]) => {
      started.push(Number(i));
      await gates[Number(i)]?.opened;
      return i;
    });
    const answers = [0, 1, 2, 3].map((i) => ask(handlers, { handler: 'wait', args: [String(i)] }));
    expect(await ask(handlers, { handler: 'wait', args: ['4'] })).toMatchObject({
      error: { code: 'ERR_FLEET_RATE' },
    });
    expect(started).toEqual([0, 1]);
    gates[1]?.open();
    await answers[1];
    expect(started).toEqual([0, 1, 2]);
    for (const { open } of gates) open();
    expect((await Promise.all(answers)).map(({ result }) => result)).toEqual(['0', '1', '2', '3']);
    await handlers.whenIdle();
    expect(handlers.busy).toBe(0);
  });

  it('in progress at the end are aborted and answered, as are waiting ones', async () => {
    const handlers = make({ concurrency: 1 });
    handlers.handle('hangs', () => new Promise(() => undefined));
    const answers = [1, 2].map(() => ask(handlers, { handler: 'hangs', args: [] }));
    const idle = handlers.whenIdle();
    await Promise.resolve();
    handlers.end();
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ error: { code: 'ERR_FLEET_HANDLER', message: 'the peel is stopping' } });
    }
    await idle;
    expect(handlers.busy).toBe(0);
  });
});

describe('a handler', () => {
  it('replaces an older one of its name, and can be removed again', async () => {
    const handlers = make();
    const removeOld = handlers.handle('one', () => 1);
    const remove = handlers.handle('one', () => 2);
    removeOld();
    expect(await ask(handlers, { handler: 'one', args: [] })).toMatchObject({ result: 2 });
    remove();
    expect(await ask(handlers, { handler: 'one', args: [] })).toMatchObject({
      error: { code: 'ERR_FLEET_NO_HANDLER' },
    });
  });

  it.each(['', 'a b', 'a..b', '.a', 'a.', '*', 'é', 'x'.repeat(201)])('cannot have the name "%s"', (name) => {
    expect(() => make().handle(name, () => 1)).toThrow(TypeError);
  });

  it('that is built in cannot be replaced', () => {
    const handlers = make();
    handlers.handle('ping', () => 1, { fixed: true });
    expect(() => handlers.handle('ping', () => 2)).toThrow(/built in/);
  });
});
