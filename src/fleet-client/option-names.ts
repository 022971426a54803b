// Which options the methods of a Fleet know, so that a misspelled one is refused and not ignored.
import { FleetError } from '../errors.js';
import { anything, bag, callback, checkOptions, flag, type Entries } from '../options/check-options.js';
import type { AuditQuery } from '../protocol/records/audit-query.js';
import type { CreateTokenOptions } from './fleet-tokens.js';
import type { ExecOptions, ListPeelsOptions } from './fleet-peels.js';
import type { ReadAuditOptions } from './read-audit.js';

/** The options of each method; a master checks the values. */
const METHODS = {
  'peels.list': bag({
    pattern: anything,
    state: anything,
    connected: flag,
    expiringWithinSeconds: anything,
    after: anything,
    limit: anything,
  } satisfies Entries<ListPeelsOptions>),
  'peels.show': bag({ events: anything }),
  'peels.accept': bag({ fingerprint: anything, reason: anything }),
  'peels.reject': bag({ reason: anything }),
  'peels.revoke': bag({ reason: anything, publicKey: anything }),
  'peels.rotate': bag({ since: anything }),
  'peels.exec': bag({ timeoutMs: anything, signal: anything } satisfies Entries<ExecOptions>),
  'tokens.create': bag({
    ttlSeconds: anything,
    uses: anything,
    ids: anything,
  } satisfies Entries<CreateTokenOptions>),
  audit: bag({
    peelId: anything,
    patterns: anything,
    kinds: anything,
    since: anything,
    until: anything,
    after: anything,
    last: anything,
    follow: flag,
    onWait: callback,
    onRestart: callback,
  } satisfies Entries<AuditQuery & ReadAuditOptions>),
};

/** @throws FleetError `ERR_FLEET_REQUEST` */
export function checkFleetOptions(method: keyof typeof METHODS, options: unknown): void {
  checkOptions(`fleet.${method}`, options, METHODS[method], fleetOptionsError);
}

/** The error for options of an admin's request. */
export function fleetOptionsError(message: string): FleetError {
  return new FleetError('ERR_FLEET_REQUEST', message);
}
