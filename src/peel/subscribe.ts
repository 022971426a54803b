// Subscribes to what is sent to a peel: commands, and notices of masters.
import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import { commandSubject, noticeSubject } from '../permissions/names.js';

/** The receivers of what is sent to a peel. */
export interface Receivers {
  command: (msg: Msg) => void;
  notice: (msg: Msg) => void;
}

/** Subscribes to the commands and notices for a peel. */
export function subscribe(
  connection: Pick<NatsConnection, 'subscribe'>,
  peelId: string,
  { command, notice }: Receivers,
): Subscription[] {
  const to = (receive: (msg: Msg) => void) => (error: Error | null, msg: Msg) => {
    if (error === null) receive(msg);
  };
  return [
    // one group per peel: a connection that takes over from another one takes its commands over, each once
    connection.subscribe(commandSubject(peelId), { queue: peelId, callback: to(command) }),
    connection.subscribe(noticeSubject(peelId), { callback: to(notice) }),
  ];
}
