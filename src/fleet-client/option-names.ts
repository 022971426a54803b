// The option names of a Fleet's methods, so that a misspelled option is rejected instead of ignored.
import { FleetError } from '../errors.js';
import { anything, bag, callback, checkOptions, flag, type Entries } from '../options/check-options.js';
import type { AuditQuery } from '../protocol/records/audit-query.js';
import type { CreateTokenOptions } from './fleet-tokens.js';
import type { ExecCommand, ExecOptions, LabelPeelOptions, ListPeelsOptions } from './fleet-peels.js';
import type { WaitingOptions } from './waiting-options.js';
import type { ReadAuditOptions } from './read-audit.js';

/** The options of each method; a master checks the values. */
const METHODS = {
  'peels.list': bag({
    pattern: anything,
    state: anything,
    connected: flag,
    expiringWithinSeconds: anything,
    labels: anything,
    after: anything,
    limit: anything,
    signal: anything,
  } satisfies Entries<ListPeelsOptions>),
  'peels.show': bag({ events: anything, signal: anything }),
  'peels.accept': bag({ fingerprint: anything, reason: anything, labels: anything, signal: anything }),
  'peels.label': bag({
    set: anything,
    remove: anything,
    reason: anything,
    signal: anything,
  } satisfies Entries<LabelPeelOptions>),
  'peels.reject': bag({ reason: anything, signal: anything }),
  'peels.revoke': bag({ reason: anything, publicKey: anything, signal: anything }),
  'peels.rotate': bag({ since: anything, publicKey: anything, signal: anything }),
  'peels.exec': bag({ timeoutMs: anything, signal: anything } satisfies Entries<ExecOptions>),
  'peels.exec with names': bag(
    {
      peelIds: anything,
      handler: anything,
      args: anything,
      timeoutMs: anything,
      signal: anything,
    } satisfies Entries<ExecCommand>,
    { required: ['peelIds', 'handler'] },
  ),
  status: bag({ signal: anything }),
  'tokens.list': bag({ signal: anything }),
  'tokens.remove': bag({ signal: anything }),
  'tokens.create': bag({
    ttlSeconds: anything,
    uses: anything,
    ids: anything,
    labels: anything,
    signal: anything,
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
    signal: anything,
  } satisfies Entries<AuditQuery & ReadAuditOptions & WaitingOptions>),
};

/** @throws FleetError `ERR_FLEET_REQUEST` */
export function checkFleetOptions(method: keyof typeof METHODS, options: unknown): void {
  checkOptions(`fleet.${method}`, options, METHODS[method], fleetOptionsError);
}

/** The error for options of an admin's request. */
export function fleetOptionsError(message: string): FleetError {
  return new FleetError('ERR_FLEET_REQUEST', message);
}
