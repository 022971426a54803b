// Opens a master's state in JetStream.
import { tokenSchema, type JoinToken } from '../../protocol/records/join-token.js';
import { describeMissingServers } from '../../system-account/meta-group.js';
import { outsideJetStream } from '../../system-account/servers.js';
import { AuditLog } from '../audit/audit-log.js';
import { auditStream } from '../audit/audit-stream.js';
import type { MasterContext } from '../context.js';
import type { MasterOptions } from '../master.js';
import { completeAudit } from '../registry/complete-audit.js';
import { PeelTally } from '../peel-tally.js';
import { PresenceView } from '../presence/presence-view.js';
import { Registry } from '../registry/registry.js';
import { KvMirror } from '../store/kv-mirror.js';
import { RecordRestorer, restoreOrWarn } from '../registry/restore-records.js';
import { openStore } from '../store/store.js';
import type { Closing } from './closing.js';
import type { MasterConnections } from './connections.js';

/** The state of a master. */
export type State = Pick<MasterContext, 'store' | 'audit' | 'registry' | 'tokens' | 'presence' | 'tally'>;

/** Reads all of it. @throws FleetError `ERR_FLEET_STORE` */
export async function openState(
  { nc, system }: MasterConnections,
  options: MasterOptions,
  { logger, now, events }: Pick<MasterContext, 'logger' | 'now' | 'events'>,
  closing: Closing,
): Promise<State> {
  const store = await openStore(nc, {
    logger,
    replicas: options.replicas,
    waitMs: options.storeWaitMs,
    signal: options.signal,
    whyWaiting: async () => describeMissingServers(await outsideJetStream(system)),
  });
  const audit = closing.add(
    new AuditLog(auditStream(nc, store), logger, now, (...args) => events.audited(...args)),
    (part) => part.close(),
  );
  const registry = closing.add(await Registry.open(store.peels, audit, logger), (part) => part.close());
  const restored = await restoreOrWarn(store, logger, (peelId) => registry.get(peelId)?.number);
  for (const peelId of restored) await registry.refresh(peelId);
  closing.add(new RecordRestorer(nc, store, logger), (part) => part.stop());
  closing.add(completeAudit(store, audit, logger), (part) => part.close());
  const tokens = closing.add(
    await KvMirror.open<JoinToken>({ bucket: store.fleet, logger, schema: tokenSchema }),
    (part) => part.close(),
  );
  const presence = new PresenceView();
  return { store, audit, registry, tokens, presence, tally: new PeelTally(registry, presence) };
}
