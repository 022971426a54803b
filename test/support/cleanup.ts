import { afterAll } from 'vitest';

/**
 * What a test file started is ended after its last test, in reverse order, whether the tests passed or not. (Should the
 * worker itself be killed, the watchdog of `startNatsServer` ends the servers.)
 */
const pending = new Set<() => Promise<unknown>>();

afterAll(async () => {
  const failures: unknown[] = [];
  for (const cleanup of [...pending].reverse()) {
    await cleanup().catch((error: unknown) => failures.push(error));
  }
  pending.clear();
  if (failures.length > 0) throw new AggregateError(failures, 'cleaning up after the tests failed');
});

/**
 * Registers a cleanup.
 *
 * @returns runs it now, once; later calls and the end of the file do nothing then
 */
export function atEnd(cleanup: () => Promise<unknown>): () => Promise<void> {
  let run: Promise<unknown> | undefined;
  const once = () => (run ??= cleanup());
  pending.add(once);
  return async () => {
    await once();
    pending.delete(once);
  };
}
