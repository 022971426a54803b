// Lists the added admins from the home's list and from the audit log, which all masters share.
import { withState, type StateConnection } from '../backup/connect-state.js';
import { isNoStream } from '../fleet-client/no-stream.js';
import { errorMessage } from '../text/error-message.js';
import { readStream } from '../master/store/read-stream.js';
import { AUDIT_STREAM, subjectFor } from '../permissions/names.js';
import type { AuditEvent } from '../protocol/records/audit-event.js';
import { parseEvent } from '../protocol/records/parse-event.js';
import type { TrustDomain } from '../trust/domain.js';
import { readAddedAdmins, type AddedAdmin } from './added-admins.js';
import { mergeAdmins } from './merge-admins.js';

/** The known added admins. */
export interface KnownAdmins {
  admins: AddedAdmin[];
  /** Why the audit log could not be read; admins added by other homes are missing then. */
  unread?: string | undefined;
}

/**
 * The admins added from any home. If the audit log has deleted old events, earlier admins of other homes are missing.
 *
 * Cost: the server filters the events; reads one event for each admin ever added or removed.
 *
 * @param at undefined: read the home only
 * @throws TrustError `ERR_TRUST_DAMAGED`; FileError
 */
export async function knownAdmins(
  domain: TrustDomain,
  at: StateConnection | undefined,
): Promise<KnownAdmins> {
  const own = await readAddedAdmins(domain.paths.admins);
  if (at === undefined) return { admins: own };
  try {
    return { admins: mergeAdmins(own, await eventsOfAdmins(domain, at)) };
  } catch (error) {
    return { admins: own, unread: errorMessage(error) };
  }
}

/** The events about admins, oldest first; none if no master has run yet. */
async function eventsOfAdmins(domain: TrustDomain, at: StateConnection): Promise<AuditEvent[]> {
  return withState(domain, at, async (_nc, store) => {
    const events: AuditEvent[] = [];
    try {
      const filter = subjectFor.audit('_', 'admin.*');
      for await (const { data } of readStream(store, AUDIT_STREAM, { filter })) {
        const event = parseEvent(data);
        if (event !== undefined) events.push(event);
      }
    } catch (error) {
      if (!isNoStream(error)) throw error;
    }
    return events;
  });
}
