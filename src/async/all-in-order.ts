// Waits for promises that run at the same time.

/**
 * As `Promise.all`, but waits for all of them, and throws the error of the first in the list that failed: which error
 * users see does not depend on timing.
 */
export async function allInOrder<T extends readonly unknown[] | []>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  for (const promise of promises) await promise;
  return Promise.all(promises);
}
