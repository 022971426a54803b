import { expect, it } from 'vitest';
import { SilentServers } from '../../../src/master/watch/silent-servers.js';
import { SILENT_SERVER_KEPT_MS } from '../../../src/timing.js';
import { peelConnection } from './watch-context.js';

it('remembers the connections of a server that stopped responding, by number, until it has been gone for long', () => {
  const silent = new SilentServers();
  const connection = { ...peelConnection('web-1'), server: 'N1', cid: 7 };
  silent.keep('N1', [connection], 1_000);
  silent.prune(1_000 + SILENT_SERVER_KEPT_MS);
  expect(silent.get({ server: 'N1', cid: 7 })).toBe(connection);
  expect(silent.get({ server: 'N1', cid: 8 })).toBeUndefined();
  expect(silent.get({ server: 'N2', cid: 7 })).toBeUndefined();
  silent.prune(1_001 + SILENT_SERVER_KEPT_MS);
  expect(silent.get({ server: 'N1', cid: 7 })).toBeUndefined();
});
