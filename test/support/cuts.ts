import type { NatsConnection } from '@nats-io/transport-node';

/** How often a connection was cut so far; `cut` resolves when it is for the first time. */
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
