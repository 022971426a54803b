// The shared context of the parts of a master.
import type { ZesterConnection } from '../connection/connect.js';
import type { Actor } from '../protocol/records/actor.js';
import type { JoinToken } from '../protocol/records/join-token.js';
import type { MessageSigner } from '../protocol/signed.js';
import type { PeelTally } from './peel-tally.js';
import type { PresenceView } from './presence/presence-view.js';
import type { AuditLog } from './audit/audit-log.js';
import type { Issuer } from './trust/issuer.js';
import type { KvMirror } from './store/kv-mirror.js';
import type { MasterLogger } from './logger.js';
import type { MasterEvents } from './master-events.js';
import type { MasterMetrics } from './metrics.js';
import type { Challenges } from './requests/challenges.js';
import type { RecoveryPolicy } from './requests/judge-recovery.js';
import type { PolicyRunner } from './requests/policy-runner.js';
import type { TokenKeys } from './registry/token-keys.js';
import type { Registry } from './registry/registry.js';
import type { BreakerLimits } from './revocation/breaker.js';
import type { Store } from './store/store.js';
import type { MasterTrust } from './trust/trust.js';

/** The shared context of a master's parts. */
export interface MasterContext {
  /** Identifies this process; new at each start. */
  readonly id: string;
  /** The name of this master in the audit log. */
  readonly actor: Actor;
  /** The master's connection to the fleet's account. */
  readonly nc: ZesterConnection;
  readonly store: Store;
  readonly challenges: Challenges;
  readonly registry: Registry;
  /** Join tokens, by their ids. */
  readonly tokens: KvMirror<JoinToken>;
  readonly tokenKeys: TokenKeys;
  /** The connected peels, as the watching master knows them. */
  readonly presence: PresenceView;
  readonly tally: PeelTally;
  readonly audit: AuditLog;
  readonly trust: MasterTrust;
  /** Signs with the trust domain's current keys: do not keep a reference. */
  readonly issuer: Issuer;
  /** Signs this master's answers and notices. Like `issuer`, do not keep a reference. */
  readonly signer: MessageSigner;
  readonly logger: MasterLogger;
  readonly metrics: MasterMetrics;
  readonly events: MasterEvents;
  readonly policy: PolicyRunner;
  /** Lifetime of a peel's JWT in seconds; 0 = never expires. */
  readonly lifetime: number;
  /** Which peels may recover after their credential has expired. */
  readonly recovery: RecoveryPolicy;
  /** How many healthy peels may be revoked without an admin. */
  readonly breaker: BreakerLimits;
  readonly now: () => number;
  /** The addresses that the user of a public key (`U…`) is connected from, as the servers report them. */
  addressesOf(publicKey: string): Promise<string[]>;
  /** The ID of the master that follows the servers' events; undefined: none does. */
  watching(): string | undefined;
}
