// Puts peels into the registry: issued an hour ago, and not connected yet.
import type { NatsConnection } from '@nats-io/nats-core';
import { AuditLog } from '../../src/master/audit/audit-log.js';
import { auditStream } from '../../src/master/audit/audit-stream.js';
import type { MasterLogger } from '../../src/master/logger.js';
import { Registry } from '../../src/master/registry/registry.js';
import { openStore } from '../../src/master/store/store.js';
import type { MadePeel } from './messages.js';

/** Writes under way at once. */
const AT_ONCE = 256;
const PROGRESS_MS = 5_000;
const AUDIT_TIMEOUT_MS = 60_000;
/** A starting master republishes the events of the last minutes, in case another one was killed: these are older. */
const AGE_MS = 3_600_000;

const SILENT: MasterLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export async function addRecords(
  nc: NatsConnection,
  peels: readonly MadePeel[],
  signal?: AbortSignal,
): Promise<void> {
  const store = await openStore(nc, { logger: SILENT });
  const audit = new AuditLog(auditStream(nc, store), SILENT, () => Date.now() - AGE_MS);
  const registry = await Registry.open(store.peels, audit, SILENT);
  let next = 0;
  let done = 0;
  const progress = setInterval(
    () => console.log(`      ${done} of ${peels.length} records written`),
    PROGRESS_MS,
  );
  try {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let made = peels[next++]; made !== undefined; made = peels[next++]) {
          signal?.throwIfAborted();
          const { peelId, ...change } = made;
          await registry.decide(peelId, () => ({
            change: { kind: 'key.issued', ...change },
            by: { kind: 'admin', name: 'bench' },
          }));
          done += 1;
        }
      }),
    );
    await audit.close(AUDIT_TIMEOUT_MS);
  } finally {
    clearInterval(progress);
    registry.close();
  }
}
