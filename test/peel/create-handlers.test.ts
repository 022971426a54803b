import { describe, expect, it } from 'vitest';
import { BUILT_IN_HANDLERS, type BuiltInContext } from '../../src/peel/built-in-handlers.js';
import { createHandlers, type HandlersOfPeel } from '../../src/peel/create-handlers.js';
import type { PeelEvent } from '../../src/peel/events.js';
import { encodeJson, parseJson } from '../../src/protocol/messages.js';
import { hostFacts } from '../support/host-facts.js';
import { newCreds } from './credentials.js';

const { claims } = newCreds();

/** The handlers of a peel, and their events. */
function created(given: Partial<HandlersOfPeel> = {}) {
  const events: PeelEvent[] = [];
  const handlers = createHandlers({
    handlers: undefined,
    limits: undefined,
    context: { peelId: 'web-01', claims: () => claims, now: () => 0, own: () => ({ rack: 7 }) },
    emit: (event) => void events.push(event),
    ...given,
  });
  const ask = async (handler: string) =>
    parseJson(await handlers.answer(encodeJson({ handler, args: [] }))) as object;
  return { handlers, ask, events };
}

/** A peel as the built-in handlers see it. */
function contextOf(peelId: string, exp: number | undefined, time: number): BuiltInContext {
  const { exp: _, ...others } = newCreds(time).claims;
  const given = { ...others, name: peelId, ...(exp !== undefined && { exp }) };
  return { peelId, claims: () => given, now: () => time, own: () => ({ of: peelId }) };
}

/** What each built-in handler answers of a peel. */
const ANSWERS: Readonly<Record<keyof typeof BUILT_IN_HANDLERS, (context: BuiltInContext) => object>> = {
  ping: ({ peelId, now }) => ({ pong: true, peelId, time: new Date(now()).toISOString() }),
  facts: ({ peelId, claims: claimsOf }) => {
    const { sub, iat, exp } = claimsOf();
    const iso = (seconds: number) => expect.stringContaining(isoSeconds(seconds)) as string;
    return {
      peelId,
      ...hostFacts(),
      credential: { publicKey: sub, issued: iso(iat), ...(exp !== undefined && { expires: iso(exp) }) },
      own: { of: peelId },
    };
  },
};

function isoSeconds(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}

// The peels of one program share its modules: what a handler remembers there, it would tell of another peel.
it.each(Object.entries(BUILT_IN_HANDLERS))(
  'the built-in %s answers of the peel asked',
  async (name, handle) => {
    const expiring = contextOf('web-01', 1_900_000_000, 1_700_000_000_000);
    const lasting = contextOf('web-02', undefined, 1_800_000_000_000);
    // each again, after the other
    for (const context of [expiring, lasting, expiring, lasting])
      expect(await handle(context)).toEqual(ANSWERS[name as keyof typeof ANSWERS](context));
  },
);

// Both may contain secrets, which whoever may send commands would then see.
it.each(Object.entries(BUILT_IN_HANDLERS))(
  'the built-in %s reads neither the environment nor the command line',
  async (_, handle) => {
    const { env, argv, execArgv } = process;
    const reads: PropertyKey[] = [];
    try {
      process.env = noting(env, reads);
      process.argv = noting(argv, reads);
      process.execArgv = noting(execArgv, reads);
      const bare = { ...contextOf('web-02', undefined, 0), own: () => undefined };
      for (const context of [contextOf('web-01', 1_900_000_000, 0), bare]) await handle(context);
    } finally {
      Object.assign(process, { env, argv, execArgv });
    }
    expect(reads).toEqual([]);
  },
);

/** An object that notes what is read of it. */
function noting<T extends object>(target: T, reads: PropertyKey[]): T {
  return new Proxy(target, {
    get: (of, key) => (reads.push(key), Reflect.get(of, key) as unknown),
    has: (of, key) => (reads.push(key), Reflect.has(of, key)),
    ownKeys: (of) => (reads.push('its keys'), Reflect.ownKeys(of)),
  });
}

describe('the handlers of a peel', () => {
  it('are the built-in ones, which know the peel, and those of the program', async () => {
    const { ask } = created({ handlers: { greet: () => 'hello' } });
    expect(await ask('ping')).toMatchObject({ result: { pong: true, time: '1970-01-01T00:00:00.000Z' } });
    expect(await ask('facts')).toMatchObject({
      result: { peelId: 'web-01', credential: { publicKey: claims.sub }, own: { rack: 7 } },
    });
    expect(await ask('greet')).toEqual({ peelId: 'web-01', result: 'hello' });
  });

  it('cannot replace a built-in one', () => {
    for (const name of ['ping', 'facts'])
      expect(() => created({ handlers: { [name]: () => 1 } })).toThrow(TypeError);
  });

  it('report each command, and the full error of a failed handler', async () => {
    const failure = new Error('a secret detail');
    const fail = (thrown: unknown) => () => {
      throw thrown;
    };
    const { ask, events } = created({ handlers: { fail: fail(failure), throwText: fail('a text') } });
    await ask('ping');
    await ask('fail');
    await ask('throwText');
    expect(events).toMatchObject([
      { type: 'command', handler: 'ping', outcome: 'ok' },
      { type: 'commandFailed', handler: 'fail', error: failure },
      { type: 'command', handler: 'fail', outcome: 'ERR_FLEET_HANDLER' },
      { type: 'commandFailed', handler: 'throwText', error: new Error('a text') },
      { type: 'command', handler: 'throwText' },
    ]);
  });

  it('have the limits of the program', async () => {
    const wait = () => new Promise(() => undefined);
    const { handlers, ask } = created({ handlers: { wait }, limits: { concurrency: 1, queue: 0 } });
    const waiting = ask('wait');
    expect(await ask('ping')).toMatchObject({ error: { code: 'ERR_FLEET_RATE' } });
    handlers.end();
    await waiting;
  });
});
