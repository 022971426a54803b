// The answers of masters to an admin program.
import type { AuditEvent } from './records/audit-event.js';
import type { Presence } from './records/presence.js';
import type { PeelRecord, PeelState } from './records/record.js';

/** The state of a fleet, from `fleet.status()`. */
export interface FleetStatus {
  /** The ID of the master that answered. */
  master: string;
  /** Its version of Zester. */
  version: string;
  /** Its acceptance policy: one of `POLICIES`, or `custom` for a function. */
  policy: string;
  /** The lifetime of the credentials that it issues, in seconds; 0 = they never expire. */
  lifetime: number;
  /** The ID of the master that follows the servers' events; absent: currently none. */
  watching?: string | undefined;
  /** The number of peels in each state. */
  peels: Partial<Record<PeelState, number>>;
  /** The number of connected peels. */
  connected: number;
  /** Revocations of healthy peels, held until an admin resumes them or the cause is gone; absent: none. */
  held?: HeldRevocations | undefined;
}

/** Held revocations of healthy peels. */
export interface HeldRevocations {
  /** The number of peels. */
  peels: number;
  /** ISO 8601. */
  since: string;
}

/** A peel, from `fleet.peels.show()`. */
export interface PeelDetails {
  record: PeelRecord;
  /** Its connections; absent: none known. */
  presence?: Presence | undefined;
  /** Its last events, oldest first. */
  events: AuditEvent[];
  /** True if the audit log could not be read; `events` is empty then. */
  eventsMissing?: boolean | undefined;
}

/** The result of `fleet.peels.revoke()`. */
export interface PeelRevocation {
  record: PeelRecord;
  /** The keys (`U…`) whose revocation every server has confirmed. */
  revoked: string[];
}

/** The result of `fleet.peels.rotate()`. */
export interface PeelRotation {
  record: PeelRecord;
  /** `done`: nothing to do. `told`: it is connected and was notified. `asked`: it will be notified when it renews. */
  outcome: 'done' | 'told' | 'asked';
}
