// The part of the audit stream that the audit log writes to.
import type { NatsConnection } from '@nats-io/nats-core';
import { STORED_AUDIT_SUBJECTS } from '../../permissions/names.js';
import type { Store } from '../store/store.js';

/** The part of the stream that an audit log uses. */
export interface AuditStream {
  /**
   * Stores an event, once for each message ID.
   *
   * @returns its sequence; 0 if the server knows the ID of an attempt that was never stored
   */
  publish(subject: string, data: Uint8Array, msgID: string): Promise<number>;
  /** Calls the listener with the message ID of each event that the stream has stored. @returns unsubscribes */
  onStored(listener: (id: string) => void): () => void;
  /** Resolves when the connection is closed permanently. */
  closed(): Promise<unknown>;
}

/** The stream of a fleet. */
export function auditStream(nc: NatsConnection, { js }: Pick<Store, 'js'>): AuditStream {
  return {
    publish: async (subject, data, msgID) => (await js.publish(subject, data, { msgID })).seq,
    // not the published event itself: published does not mean stored
    onStored: (listener) => {
      const subscription = nc.subscribe(STORED_AUDIT_SUBJECTS, {
        callback: (error, msg) => {
          if (error === null) listener(msg.headers?.get('Nats-Msg-Id') ?? '');
        },
      });
      return () => subscription.unsubscribe();
    },
    closed: () => nc.closed(),
  };
}
