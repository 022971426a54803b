import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CredentialEvent } from '../../src/creds/credential-event.js';
import { loadFromProvider, storeInProvider } from '../../src/creds/credential-provider.js';
import { fromEnv } from '../../src/creds/from-env.js';
import { MemoryCredentials } from '../../src/creds/memory-credentials.js';
import { parseCredsData } from '../../src/creds/parse.js';
import { ProviderCredentialSource } from '../../src/creds/provider-credential-source.js';
import { expectNoSeed, refusal } from '../support/refusal.js';
import { makeCredentials } from './credentials.js';

const made = makeCredentials();
const next = makeCredentials();
const creds = () => parseCredsData(made.text, 'made');
afterEach(() => {
  vi.useRealTimers();
});

describe('a provider', () => {
  it('may give parsed credentials, their bytes or their text, at once or later', async () => {
    const given = [creds(), made.text, Buffer.from(made.text)];
    for (const value of given) {
      expect((await loadFromProvider({ load: () => value })).jwt).toBe(made.jwt);
      expect((await loadFromProvider({ load: () => Promise.resolve(value) })).jwt).toBe(made.jwt);
    }
  });

  it('that throws or rejects has failed, and its error shows no seed', async () => {
    const plain = new Error('the vault is sealed');
    const leaky = Object.assign(new Error('bad response'), { response: { body: made.text } });
    const bytes = Object.assign(new Error('bad response'), { body: Buffer.from(made.text) });
    const array = Object.assign(new Error('bad response'), { body: new Uint8Array(Buffer.from(made.seed)) });
    const telling = new Error(`cannot parse ${made.seed}`);
    const odd = { seed: made.seed };
    for (const thrown of [plain, leaky, bytes, array, telling, odd]) {
      const rejects = () => Promise.reject(thrown as Error);
      const throws = () => {
        throw thrown;
      };
      for (const load of [rejects, throws]) {
        const error = await refusal(
          'ERR_CREDS_PROVIDER',
          () => loadFromProvider({ name: 'vault:web-01', load }),
          made.seed,
        );
        expect(error.message).toContain('vault:web-01');
        if (thrown === plain) expect(error).toMatchObject({ cause: plain });
      }
    }
  });

  it('that returns anything but credentials has failed', async () => {
    await refusal('ERR_CREDS_INPUT', () => loadFromProvider({ load: () => 42 as never }));
    await refusal('ERR_CREDS_NO_JWT', () => loadFromProvider({ load: () => 'nothing' }));
  });

  it('that hangs fails after 10 seconds, and its signal is aborted', async () => {
    vi.useFakeTimers();
    let signal: AbortSignal | undefined;
    const loading = loadFromProvider({
      load: (options) => {
        ({ signal } = options);
        return new Promise(() => undefined);
      },
    });
    const refused = refusal('ERR_CREDS_PROVIDER', () => loading);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(signal?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await refused).message).toContain('longer than 10 s');
    expect(signal?.aborted).toBe(true);
  });

  it('stores the content of a file, which is overwritten once it is done', async () => {
    let content: Uint8Array | undefined;
    let text = '';
    await storeInProvider(
      {
        load: () => made.text,
        store: async (given) => {
          content = given;
          await Promise.resolve();
          text = Buffer.from(given).toString();
        },
      },
      creds(),
    );
    expect(parseCredsData(text, 'stored').jwt).toBe(made.jwt);
    expect(content?.every((byte) => byte === 0)).toBe(true);
    await refusal('ERR_CREDS_NO_STORE', () => storeInProvider({ load: () => made.text }, creds()));
  });

  it('has a name that shows no seed', async () => {
    const error = await refusal('ERR_CREDS_NO_JWT', () =>
      loadFromProvider({ name: `vault ${made.seed}`, load: () => 'nothing' }),
    );
    expectNoSeed(error, made.seed);
  });
});

describe('the credentials of a connection from a provider', () => {
  function source(load: () => string | Promise<string>) {
    const events: CredentialEvent[] = [];
    const initial = creds();
    const of = new ProviderCredentialSource(
      { load },
      { initial, expectedName: 'web-01', onEvent: (event) => events.push(event) },
    );
    return { of, events };
  }

  it('are the last ones it returned', async () => {
    let given = made.text;
    const { of, events } = source(() => given);
    expect(await of.refresh()).toBe('unchanged');
    given = next.text;
    expect(await of.refresh()).toBe('changed');
    expect(of.current?.jwt).toBe(next.jwt);
    expect(of.authenticator('nonce')).toMatchObject({ jwt: next.jwt });
    expect(events.map(({ type }) => type)).toEqual(['credentialsLoaded']);
  });

  it('stay unchanged while it fails, which is reported once', async () => {
    const { of, events } = source(() => Promise.reject(new Error('sealed')));
    expect(await of.refresh()).toBe('rejected');
    expect(await of.refresh()).toBe('rejected');
    expect(of.current?.jwt).toBe(made.jwt);
    expect(events).toMatchObject([{ type: 'credentialsRejected', error: { code: 'ERR_CREDS_PROVIDER' } }]);
  });

  it('stay unchanged when it returns another peel’s, expired ones, or ones that are not valid yet', async () => {
    let given = makeCredentials({ name: 'web-02' }).text;
    const { of, events } = source(() => given);
    await of.refresh();
    given = makeCredentials({ expiry: 1, now: () => Date.now() - 60_000 }).text;
    await of.refresh();
    given = makeCredentials({ notBefore: Math.floor(Date.now() / 1000) + 60 }).text;
    await of.refresh();
    expect(of.validInMs).toBeGreaterThan(50_000);
    expect(of.current?.jwt).toBe(made.jwt);
    expect(events.map((event) => event.type === 'credentialsRejected' && event.error.code)).toEqual([
      'ERR_CREDS_OTHER_PEEL',
      'ERR_CREDS_EXPIRED',
      'ERR_CREDS_NOT_YET_VALID',
    ]);
  });

  it('never return to older ones that a cache still has', async () => {
    let given = made.text;
    const { of } = source(() => given);
    of.hold(parseCredsData(next.text, 'stored'));
    expect(await of.refresh()).toBe('unchanged');
    given = next.text;
    await of.refresh();
    given = made.text;
    expect(await of.refresh()).toBe('unchanged');
    expect(of.current?.jwt).toBe(next.jwt);
    given = makeCredentials().text;
    expect(await of.refresh()).toBe('changed');
  });

  it('are requested one call at a time: concurrent requests share the next call', async () => {
    let calls = 0;
    let running = 0;
    const { of } = source(async () => {
      calls += 1;
      running += 1;
      expect(running).toBe(1);
      await new Promise(setImmediate);
      running -= 1;
      return made.text;
    });
    const first = of.refresh();
    await Promise.resolve();
    await Promise.resolve();
    await Promise.all([first, of.refresh(), of.refresh(), of.refresh()]);
    expect(calls).toBeLessThanOrEqual(2);
  });

  it('show no seed', () => {
    const { of } = source(() => made.text);
    of.authenticator('nonce');
    expectNoSeed(of, made.seed);
  });
});

describe('credentials in memory', () => {
  it('are replaced only by valid ones, and report it', async () => {
    const memory = new MemoryCredentials(made.text);
    let changes = 0;
    const stop = memory.watch(() => (changes += 1));
    await refusal('ERR_CREDS_NO_JWT', () => memory.set('nothing'));
    expect(memory.current.jwt).toBe(made.jwt);
    memory.set(Buffer.from(next.text));
    expect([memory.current.jwt, changes]).toEqual([next.jwt, 1]);
    stop();
    memory.set(creds());
    expect([memory.load().jwt, changes]).toEqual([made.jwt, 1]);
    expectNoSeed(memory, made.seed, next.seed);
  });
});

describe('credentials from the environment', () => {
  it('are the content of a file, as it is or in base64', async () => {
    const forms = [made.text, `\n${made.text}\n`, Buffer.from(made.text).toString('base64')];
    for (const value of [...forms, Buffer.from(made.text).toString('base64url')]) {
      expect((await loadFromProvider(fromEnv('MINE', { MINE: value }))).jwt).toBe(made.jwt);
    }
  });

  it('are read again each time', async () => {
    const env = { MINE: made.text };
    const provider = fromEnv('MINE', env);
    expect((await loadFromProvider(provider)).jwt).toBe(made.jwt);
    env.MINE = next.text;
    expect((await loadFromProvider(provider)).jwt).toBe(next.jwt);
  });

  it('that are missing or bad are refused by the name of the variable, without its value', async () => {
    const bad = [undefined, '', '  ', 'nonsense', made.seed, made.text.slice(0, -80)];
    for (const value of bad) {
      const code = value === undefined || value.trim() === '' ? 'ERR_CREDS_NOT_FOUND' : undefined;
      const error: unknown = await loadFromProvider(fromEnv('MINE', { MINE: value })).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(Error);
      expect((error as Error).message).toContain('MINE');
      if (code !== undefined) expect(error).toMatchObject({ code });
      expectNoSeed(error, made.seed);
    }
  });
});
