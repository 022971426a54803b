import { describe, expect, it } from 'vitest';
import { checkClientOptions, checkConnectOptions } from '../../src/connection/check-options.js';
import { withReconnectBuffer } from '../../src/connection/with-reconnect-buffer.js';
import { refusal } from '../support/refusal.js';

const refused = (options: object) => refusal('ERR_CONNECT_OPTIONS', () => checkConnectOptions(options));

describe('the options of a connection', () => {
  it.each([
    {},
    { reconnectBufferSize: 0, drainTimeoutMs: 0, handoverTimeoutMs: 270_000, rotate: 'hitless' },
    { timeout: 1, reconnectTimeWait: 0, reconnectJitter: 0, reconnectJitterTLS: 0, pingInterval: 1_000 },
    { timeout: undefined, reconnectBufferSize: undefined, rotate: undefined },
    { reconnect: true, maxReconnectAttempts: -1, ignoreAuthErrorAbort: true },
  ])('may be %o', (options) => {
    checkConnectOptions(options);
  });

  it.each([
    ['reconnectBufferSize', [-5, NaN, Infinity, 1.5, '8', null]],
    ['drainTimeoutMs', [-1, NaN, Infinity, 2 ** 31, '5s']],
    ['handoverTimeoutMs', [-1, NaN, Infinity]],
    ['timeout', [0, -1, NaN, Infinity, '5']],
    ['pingInterval', [0, -1, NaN]],
    ['maxPingOut', [0, 1.5]],
    ['reconnectTimeWait', [-1, NaN, 2 ** 31]],
    ['reconnectJitter', [-1, NaN]],
    ['reconnectJitterTLS', [-1, NaN]],
    ['reconnectWindowMs', [0, -1, NaN, 2 ** 31, '2s']],
    ['rotate', ['hitles', '', null]],
  ])('are refused by name if %s is %j', async (name, values) => {
    for (const value of values) expect((await refused({ [name]: value })).message).toContain(name);
  });

  it.each([
    { reconnect: false },
    { maxReconnectAttempts: 1 },
    { maxReconnectAttempts: Infinity },
    { ignoreAuthErrorAbort: false },
    { inboxPrefix: '_INBOX.mine' },
    { authenticator: () => ({}) },
    { user: 'svc', pass: 'hunter2' },
    { token: 'hunter2' },
  ])('that would break its guarantees are refused: %o', async (options) => {
    const { message } = await refused(options);
    expect(message).toMatch(/ cannot be set: /);
    expect(message).not.toContain('hunter2');
    await refusal('ERR_CONNECT_OPTIONS', () => checkClientOptions(options));
  });

  it.each(['reconnectTimeWait', 'reconnectJitter', 'reconnectJitterTLS', 'reconnectDelayHandler'])(
    'are refused where %s and a window would both set the reconnect delay',
    async (name) => {
      const { message } = await refused({ [name]: 5, reconnectWindowMs: 5_000 });
      expect(message).toContain(`reconnectWindowMs and ${name} cannot be combined`);
    },
  );
});

it.each([{ maxBytes: -5 }, { maxBytes: NaN }, { drainTimeoutMs: -1 }])(
  'a connection is given no buffer with %o',
  async (options) => {
    await refusal('ERR_CONNECT_OPTIONS', () => withReconnectBuffer({} as never, options));
  },
);
