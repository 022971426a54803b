// What the parts of a master share.
import type { ZesterConnection } from '../connection/connect.js';
import type { Actor } from '../protocol/records/actor.js';
import type { JoinToken } from '../protocol/records/join-token.js';
import type { MessageSigner } from '../protocol/signed.js';
import type { PresenceView } from './presence/presence-view.js';
import type { AuditLog } from './audit/audit-log.js';
import type { Issuer } from './trust/issuer.js';
import type { KvMirror } from './store/kv-mirror.js';
import type { MasterLogger } from './logger.js';
import type { MasterEvents } from './master-events.js';
import type { MasterMetrics } from './metrics.js';
import type { RecoveryPolicy } from './requests/judge-recovery.js';
import type { PolicyRunner } from './requests/policy-runner.js';
import type { Registry } from './registry/registry.js';
import type { BreakerLimits } from './revocation/breaker.js';
import type { Store } from './store/store.js';
import type { MasterTrust } from './trust/trust.js';

/** What the parts of a master have in common. */
export interface MasterContext {
  /** Of this process; new at each start. */
  readonly id: string;
  /** This master, as the audit names it. */
  readonly actor: Actor;
  /** The connection of the fleet's account, as a master. */
  readonly nc: ZesterConnection;
  readonly store: Store;
  readonly registry: Registry;
  /** Join tokens, by their ids. */
  readonly tokens: KvMirror<JoinToken>;
  /** Who is connected, as the master that watches knows it. */
  readonly presence: PresenceView;
  readonly audit: AuditLog;
  readonly trust: MasterTrust;
  /** As the trust domain has its keys now: not to be kept. */
  readonly issuer: Issuer;
  /** Signs what this master answers and tells. As `issuer`, not to be kept. */
  readonly signer: MessageSigner;
  readonly logger: MasterLogger;
  readonly metrics: MasterMetrics;
  readonly events: MasterEvents;
  readonly policy: PolicyRunner;
  /** Lifetime of a peel's JWT in seconds; 0 = never expires. */
  readonly lifetime: number;
  /** Which peels may come back after their credential has expired. */
  readonly recovery: RecoveryPolicy;
  /** How many healthy peels may be revoked without an admin. */
  readonly breaker: BreakerLimits;
  readonly now: () => number;
  /** The addresses that the user of a public key (`U…`) is connected from, as the servers say. */
  addressesOf(publicKey: string): Promise<string[]>;
  /** The id of the master that follows the servers' events; undefined: none does. */
  watching(): string | undefined;
}
