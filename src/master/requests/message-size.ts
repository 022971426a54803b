// The size of a received message, headers included.
import type { Msg } from '@nats-io/nats-core';

/** The bytes of its headers and payload. The sender controls the size of both. */
export function sizeOf(msg: Msg): number {
  // the client's class has `size`, its interface does not; `headers` would parse them
  const { size } = msg as Msg & { size?: () => number };
  return typeof size === 'function' ? size.call(msg) : msg.data.length;
}
