// The public API of `zester/master`.

/**
 * The master of a fleet, as a library: `zester/master`. Importing it starts nothing.
 *
 * @packageDocumentation
 * @module zester/master
 */
export type { MasterHealth } from './master-health.js';
export { startMaster, type Master, type MasterOptions } from './master.js';
export type { EventFacts, EventOfJwt, MasterEvent, EventOfPeel } from './master-event.js';
export type { MetricsRegistry, RegisteredMetric } from './metrics-registry.js';
export type { MasterLogger } from './logger.js';
export {
  POLICIES,
  type AcceptancePolicy,
  type DecisionCallback,
  type JoinRequest,
  type Newcomer,
  type PolicyDecision,
  type PolicyFunction,
} from './requests/policy.js';
export { AdminClient, type StreamedVerb } from '../protocol/admin-client.js';
export { MessageSigner } from '../protocol/signed.js';
export { applyEvent } from '../protocol/records/apply-event.js';
export {
  isPeelEvent,
  type AuditEvent,
  type AuditFacts,
  type AuditRemarkKind,
  type IssuedKey,
  type PeelChange,
  type PeelEvent,
} from '../protocol/records/audit-event.js';
export type { Actor } from '../protocol/records/actor.js';
export type { JoinToken } from '../protocol/records/join-token.js';
export type { AnswerOf, ListedPeel, RequestOf } from '../protocol/messages.js';
export type { PeelConnection, Presence } from '../protocol/records/presence.js';
export {
  currentKey,
  type PeelKey,
  type PeelKeyState,
  type PeelRecord,
  type PeelState,
} from '../protocol/records/record.js';
export type { BreakerLimits } from './revocation/breaker.js';
export { fingerprint } from '../protocol/fingerprint.js';
