import type { NatsConnection } from '@nats-io/transport-node';

/** Counts the disconnects of a connection; `cut` resolves at the first one. */
export function watchCuts(nc: NatsConnection): { cut: Promise<void>; cuts: () => number } {
  let cuts = 0;
  const cut = new Promise<void>((resolve) => {
    void (async () => {
      for await (const { type } of nc.status()) {
        if (type !== 'disconnect') continue;
        cuts += 1;
        resolve();
      }
    })();
  });
  return { cut, cuts: () => cuts };
}
