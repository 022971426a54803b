// Registers the handlers of admin requests.
import { errorTraits } from '../../../error-traits.js';
import type { NatsConnection } from '@nats-io/nats-core';
import { ADMIN_VERBS } from '../../../permissions/admin-roles.js';
import { adminCallerOf, adminInboxPrefix, subjectsOf } from '../../../permissions/names.js';
import { adminSubject, type AdminVerb } from '../../../permissions/names.js';
import { rejectPeel, revokePeel } from './lock-out.js';
import { listPeels, readAudit, resumeRevocations, showPeel, status } from './queries.js';
import { labelPeel } from './labels.js';
import { acceptPeel, addPeel, rotatePeel } from './peels.js';
import { createToken, listTokens, removeToken } from './tokens.js';
import { actingAs, authenticateAdmin, claimedAdmin } from './authenticate.js';
import { Nonces } from './nonces.js';
import { PresenceWatches } from './watch-presence.js';
import type { MasterContext } from '../../context.js';
import type { RefusalAudit } from '../../audit/refusal-audit.js';
import { RequestService, type Handlers, type Lane } from '../service.js';

/** Requests with long, multi-part answers. */
const STREAMED: ReadonlySet<AdminVerb> = new Set(['peel.list', 'audit']);

/**
 * The lanes of one admin's requests. Revocations wait for servers, and must not delay lists. A flood of read requests must
 * not delay decisions, nor use much of a master's time and memory.
 */
const LANES = {
  writes: { name: 'writes', cost: 1, runningPerCaller: 256, waitingPerCaller: 20_000 },
  reads: { name: 'reads', cost: 2, runningPerCaller: 16, waitingPerCaller: 10_000 },
  streams: { name: 'streams', cost: 20, runningPerCaller: 4, waitingPerCaller: 256 },
  watches: { name: 'watches', cost: 20, runningPerCaller: 64, waitingPerCaller: 64 },
} as const satisfies Record<string, Lane>;

function laneOf(verb: AdminVerb | undefined): Lane {
  if (verb === undefined) return LANES.reads;
  if (verb === 'presence.watch') return LANES.watches;
  if (STREAMED.has(verb)) return LANES.streams;
  return ADMIN_VERBS[verb].writes ? LANES.writes : LANES.reads;
}

/** Answers admins. */
export function startAdminService(
  context: MasterContext,
  nc: NatsConnection,
  refusals: RefusalAudit,
  onExcess?: (caller: string, bytes: number) => void,
): RequestService<AdminVerb> {
  const watches = new PresenceWatches(context);
  const handlers: Handlers<AdminVerb> = {
    'peel.add': (call) => addPeel(context, call),
    'peel.accept': (call) => acceptPeel(context, call),
    'peel.reject': (call) => rejectPeel(context, call),
    'peel.revoke': (call) => revokePeel(context, call),
    'peel.rotate': (call) => rotatePeel(context, call),
    'peel.label': (call) => labelPeel(context, call),
    'peel.list': (call) => listPeels(context, call),
    'peel.show': (call) => showPeel(context, call),
    'token.create': (call) => createToken(context, call),
    'token.list': () => listTokens(context),
    'token.remove': (call) => removeToken(context, call),
    audit: (call) => readAudit(context, call),
    status: () => status(context),
    'presence.watch': ({ caller }) => watches.watch(caller),
    'master.resume': (call) => resumeRevocations(context, call),
  };
  const verbs = Object.keys(handlers) as AdminVerb[];
  const nonces = new Nonces();
  return new RequestService(
    context,
    {
      nc,
      inboxes: (caller) => [adminInboxPrefix(caller)],
      subject: subjectsOf('admin'),
      subjects: Object.fromEntries(verbs.map((verb) => [verb, adminSubject(verb)])) as Record<
        AdminVerb,
        string
      >,
      handlers,
      route: adminCallerOf,
      claimed: claimedAdmin,
      authenticate: async ({ msg, name, caller }) => {
        const { by, nonce } = authenticateAdmin(context, {
          message: msg,
          caller,
          name: name as AdminVerb | undefined,
        });
        const { writes = false } = ADMIN_VERBS[name as AdminVerb] ?? {};
        await nonces.accept(context.store, { publicKey: by.publicKey, nonce }, writes);
        return by;
      },
      actor: (by, name, request) => actingAs(by, 'asRole' in request ? request.asRole : undefined, name),
      signed: false,
      onStop: () => watches.end(),
      ...(onExcess && { onExcess }),
      // a program may decide on ten thousand peels at once
      rate: { perSecond: 1_000, burst: 20_000, refusalsPerSecond: 20 },
      lane: laneOf,
      queue: { running: 512, runningPerCaller: 256, waiting: 60_000, waitingPerCaller: 20_000 },
      audited: (code) => errorTraits(code)?.audited === 'always',
    },
    refusals,
  );
}
