// Does something for each item of a list, several at a time.

/**
 * Calls `act` for each item, several at a time. After a failure it starts no more, but completes what has started: the
 * caller learns what was done, and nothing is cut off halfway.
 *
 * @param atOnce the maximum number in progress
 * @param signal starts no more once it is aborted
 * @throws the first error of `act`, once nothing is in progress
 */
export async function eachAtOnce<T>(
  items: readonly T[],
  atOnce: number,
  act: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const waiting = items.values();
  const failures: unknown[] = [];
  const worker = async () => {
    while (failures.length === 0 && signal?.aborted !== true) {
      const { done, value } = waiting.next();
      if (done === true) return;
      try {
        await act(value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
