// What the bench and its generators of connections say to each other.
import type { IssuedKey } from '../../src/protocol/records/audit-event.js';

/** To a generator. */
export type ToGenerator =
  /** Make the keys and the JWTs of these peels. The seed is the peel signing key's. */
  | { do: 'prepare'; from: number; count: number; account: string; seed: string }
  /** Connect all, as fast as the server accepts, and stay connected: what is closed connects again at once. */
  | { do: 'connect'; port: number; host: string }
  /** Close the first `gone` for good, and the next `moved` once: they connect again. */
  | { do: 'change'; gone: number; moved: number }
  /** Close all, and stay closed. */
  | { do: 'close' };

/** A peel that a generator made. */
export interface MadePeel {
  peelId: string;
  key: IssuedKey;
  labels?: Record<string, string>;
}

/** From a generator. */
export type FromGenerator =
  | { is: 'made'; peels: MadePeel[]; done: boolean }
  | {
      is: 'state';
      /** Connections that the server has accepted (it answered a PING after the CONNECT). */
      accepted: number;
      wanted: number;
      /** When the last one was accepted, in milliseconds since 1970. */
      lastAt: number;
      /** CONNECTs that were sent, in all. */
      attempts: number;
      /** What servers said when they refused a connection, and how often. */
      refusals: Record<string, number>;
      /** Seconds of processor time. */
      cpu: number;
    };
