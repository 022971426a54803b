// Delivers the events of a peel to its log, its listener and its iterators.
import { Broadcast } from '../async/broadcast.js';
import { guarded, type ReportFailure } from '../async/guarded.js';
import type { ConnectionLogger } from '../connection/events.js';
import { peelLog, type PeelEvent, type PeelLog } from './events.js';

/** The receivers of a peel's events. */
export interface EventReceivers {
  /** Called first, so that whoever learns of an event finds it in the peel's state. */
  note: (event: PeelEvent) => void;
  logger?: ConnectionLogger | undefined;
  onEvent?: ((event: PeelEvent) => void) | undefined;
}

/** Delivers each event to every receiver, until it ends. */
export class EventDelivery {
  readonly #note: (event: PeelEvent) => void;
  readonly #log: PeelLog | undefined;
  readonly #onEvent: ((event: PeelEvent) => void) | undefined;
  readonly #iterators = new Broadcast<PeelEvent>();
  /** The end was reported: further events of the connection are irrelevant. */
  #over = false;

  constructor({ note, logger, onEvent }: EventReceivers) {
    this.#note = note;
    this.#log = logger && peelLog(logger, this.failureOf('logger'));
    this.#onEvent = onEvent && guarded(onEvent, this.failureOf('onEvent'));
  }

  /** Reports, as an event, that a callback of the program failed. */
  failureOf(callback: string): ReportFailure {
    return (error) => this.emit({ type: 'callbackFailed', callback, error });
  }

  emit(event: PeelEvent, isLogged = true): void {
    if (this.#over) return;
    this.#note(event);
    if (isLogged) this.#log?.log(event);
    this.#onEvent?.(event);
    this.#iterators.emit(event);
  }

  /** An iterator over events from now on. */
  iterate(): AsyncIterable<PeelEvent> {
    return this.#iterators.iterate();
  }

  /** Delivers nothing more, except what the log still holds back. */
  end(): void {
    this.#log?.close();
    this.#over = true;
    this.#iterators.end();
  }
}
