// Delivers a master's events to its listeners.
import { Broadcast } from '../async/broadcast.js';
import { guarded, warnOfCallback } from '../async/guarded.js';
import type { AuditEvent } from '../protocol/records/audit-event.js';
import type { PeelRecord } from '../protocol/records/record.js';
import { masterEventsOf, type MasterEvent } from './master-event.js';

/** The events of one master, for `onEvent` and for every iterator. An error of a listener stops nothing. */
export class MasterEvents {
  readonly #events = new Broadcast<MasterEvent>();
  readonly #onEvent: ((event: MasterEvent) => void) | undefined;

  constructor(onEvent?: (event: MasterEvent) => void) {
    this.#onEvent = onEvent && guarded(onEvent, this.callbackFailed('onEvent'));
  }

  emit(event: MasterEvent): void {
    this.#onEvent?.(event);
    this.#events.emit(event);
  }

  /** Emits an event that this master has audited. @param before and after: the record that it changed */
  audited(event: AuditEvent, before?: PeelRecord, after?: PeelRecord): void {
    for (const one of masterEventsOf(event, before, after)) this.emit(one);
  }

  /** Reports that a user's callback failed: as an event, and as a process warning. */
  callbackFailed(callback: string): (error: Error) => void {
    const warn = warnOfCallback(callback);
    return (error) => {
      warn(error);
      this.emit({ type: 'callbackFailed', callback, error });
    };
  }

  iterate(): AsyncIterable<MasterEvent> {
    return this.#events.iterate();
  }

  /** The master has stopped: ends the iterators. */
  end(): void {
    this.#events.end();
  }
}
