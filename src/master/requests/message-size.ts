// The size of a received message, headers included.
import type { Msg } from '@nats-io/nats-core';

/** Bytes of its headers and its payload. A sender chooses how large the headers are, too. */
export function sizeOf(msg: Msg): number {
  // the client's class has it, its interface does not; reading the headers would parse them
  const { size } = msg as Msg & { size?: () => number };
  return typeof size === 'function' ? size.call(msg) : msg.data.length;
}
