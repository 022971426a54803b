/**
 * The master of a fleet, as a library: `zester/master`. Importing it starts nothing.
 */
export { startMaster, type Master, type MasterHealth, type MasterOptions } from './master.js';
export type { MasterLogger } from './logger.js';
export { POLICIES, type AcceptancePolicy } from './policy.js';
export { AdminClient } from '../fleet/ask.js';
export { MessageSigner } from '../fleet/signed.js';
export { applyEvent } from '../fleet/apply-event.js';
export { isPeelEvent, type AuditEvent, type PeelEvent } from '../fleet/audit-event.js';
export type { Actor } from '../fleet/actor.js';
export type { JoinToken } from '../fleet/join-token.js';
export type { AnswerOf, ListedPeel, RequestOf } from '../fleet/messages.js';
export type { PeelConnection, Presence } from '../fleet/presence.js';
export {
  currentKey,
  type PeelKey,
  type PeelKeyState,
  type PeelRecord,
  type PeelState,
} from '../fleet/record.js';
export { fingerprint } from '../fleet/fingerprint.js';
