import { expect, it } from 'vitest';
import { zester } from '../run-zester.js';

it.each([
  ['ping', 'web-0[13]'],
  ['peel', 'exec', 'web-{1,2}', 'facts'],
  ['peel', 'list', 'web 01'],
  ['peel', 'rotate', 'web-0[13]'],
  ['audit', 'web.*'],
  ['join-token', 'create', '--ids', 'web-[12]', '--out', '/dev/null/none'],
])('%s %s: ends with a usage error, before it connects', async (...args) => {
  const { code, stderr } = await zester([...args, '--servers', 'nats://127.0.0.1:1']);
  expect(code).toBe(2);
  expect(stderr).not.toContain('ERR_CONNECT');
});
