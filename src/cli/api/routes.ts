// The routes of the HTTP interface.
import { ApiError, FleetError } from '../../errors.js';
import { fingerprint } from '../../protocol/fingerprint.js';
import type { PeelRecord } from '../../protocol/records/record.js';
import { COMMAND_TIMEOUT_MS } from '../../timing.js';
import { isoOf, peelDocument, type PeelDocument } from '../fleet/peel-document.js';
import { tokenDocument } from '../fleet/token-document.js';
import { roleFor } from './caller.js';
import { findMasters } from './find-masters.js';
import { listPeels } from './list-peels.js';
import { route, type AnyRoute, type ApiContext } from './route.js';
import { answers, bodies, queries } from './schemas.js';
import { expiryBars, summarize } from './summarize.js';
import { trustPicture } from './trust-picture.js';

/** Points of a chart: more than a screen shows. */
const CHART_POINTS = 600;

const READS: readonly AnyRoute[] = [
  route({
    method: 'GET',
    path: '/session',
    summary: "The caller's name and role",
    role: 'viewer',
    answer: answers.session,
    run: async ({ fleet, version, home }, { caller }) => ({
      ...caller,
      version,
      account: fleet.account,
      home: home !== undefined,
    }),
  }),
  route({
    method: 'GET',
    path: '/summary',
    summary: 'The fleet at a glance',
    role: roleFor(['status', 'peel.list']),
    answer: answers.summary,
    run: (context) => summary(context),
  }),
  route({
    method: 'GET',
    path: '/history',
    summary: 'Connections and renewals since this process started, and upcoming expiry',
    role: roleFor(['status', 'peel.list']),
    answer: answers.history,
    run: async ({ live, now }) => {
      await live.ready();
      return {
        samples: live.history.samples(CHART_POINTS),
        minutes: live.history.minutes(),
        expiry: expiryBars(live.peels(), now()),
      };
    },
  }),
  route({
    method: 'GET',
    path: '/peels',
    summary: 'List peels: search, filter, sort and page',
    role: roleFor(['peel.list']),
    query: queries.peels,
    answer: answers.peels,
    run: async ({ live, now }, { query }) => {
      await live.ready();
      // the position first: changes during the read are sent again
      const { position, stale = null } = live;
      return { ...listPeels(live.peels(), query, now()), position, stale };
    },
  }),
  route({
    method: 'GET',
    path: '/pending',
    summary: 'Pending peels, with the fingerprints of their keys',
    role: roleFor(['peel.list']),
    answer: answers.peels,
    run: async ({ live, now }) => {
      await live.ready();
      const { position, stale = null } = live;
      return { ...listPeels(live.peels(), { state: 'pending', limit: 10_000 }, now()), position, stale };
    },
  }),
  route({
    method: 'GET',
    path: '/peels/{id}',
    summary: 'One peel: its keys, connections and last events',
    role: roleFor(['peel.show']),
    query: queries.peel,
    answer: answers.peel,
    run: async ({ fleet, now }, { id, query, signal }) => {
      const {
        record,
        presence,
        events,
        eventsMissing = false,
      } = await fleet.peels.show(id, {
        events: query.events ?? 50,
        signal,
      });
      return {
        peel: peelDocument(record, presence, now()),
        keys: record.keys.map((key) => ({
          publicKey: key.publicKey,
          fingerprint: fingerprint(key.publicKey),
          state: key.state,
          addedAt: key.addedAt ?? null,
          issuer: key.issuer ?? null,
          issuedAt: isoOf(key.issuedAt),
          expiresAt: isoOf(key.expiresAt),
          connectedAt: key.connectedAt ?? null,
          replaces: key.replaces ?? null,
        })),
        connections: presence?.connections ?? [],
        connectionCount: presence?.count ?? presence?.connections.length ?? 0,
        events,
        eventsMissing,
      };
    },
  }),
  route({
    method: 'GET',
    path: '/peels/{id}/facts',
    summary: 'Facts that a connected peel reports about itself (unverified)',
    role: 'operator',
    answer: answers.facts,
    run: async ({ fleet }, { id, signal }) => {
      for await (const reply of fleet.peels.exec([id], 'facts', [], {
        timeoutMs: COMMAND_TIMEOUT_MS,
        signal,
      })) {
        if (reply.ok) return { id, facts: reply.result ?? null };
        throw new FleetError(
          'ERR_FLEET_NOT_CONNECTED',
          `the peel "${id}" returned no facts: ${reply.message}`,
        );
      }
      throw new FleetError('ERR_FLEET_NOT_CONNECTED', `the peel "${id}" returned no facts`);
    },
  }),
  route({
    method: 'GET',
    path: '/audit',
    summary: 'The audit log, oldest event first',
    role: roleFor(['audit']),
    query: queries.audit,
    answer: answers.audit,
    run: async ({ fleet }, { query: { pattern, kind, last = 200, ...rest }, signal }) => {
      const events = [];
      const found = fleet.audit({
        ...rest,
        last,
        signal,
        ...(pattern !== undefined && { patterns: [pattern] }),
        ...(kind !== undefined && { kinds: [kind] }),
      });
      for await (const event of found) events.push(event);
      return { events };
    },
  }),
  route({
    method: 'GET',
    path: '/tokens',
    summary: 'Join tokens, including used, expired and removed ones',
    role: roleFor(['token.list']),
    answer: answers.tokens,
    run: async ({ fleet, now }, { signal }) => {
      const tokens = await fleet.tokens.list({ signal });
      return { tokens: tokens.map((token) => tokenDocument(token, now())) };
    },
  }),
  route({
    method: 'GET',
    path: '/masters',
    summary: 'Running masters, as they describe themselves',
    role: roleFor(['status']),
    answer: answers.masters,
    run: async ({ fleet }, { signal }) => {
      const [found, status] = await Promise.all([
        findMasters(fleet.connection),
        fleet.status({ signal }).catch(() => undefined),
      ]);
      // only the owner may use service discovery: another admin shows the master that answered
      const masters =
        found.length > 0 || status === undefined
          ? found
          : [{ id: status.master, version: status.version, started: null, requests: null, errors: null }];
      return { masters: masters.map((master) => ({ ...master, watching: master.id === status?.watching })) };
    },
  }),
  route({
    method: 'GET',
    path: '/trust',
    summary: 'The trust hierarchy of the home: keys, JWTs and credentials, with their expiry',
    role: 'viewer',
    answer: answers.trust,
    run: async (context) => ({ nodes: await trustPicture(await homeOf(context).open()) }),
  }),
  route({
    method: 'GET',
    path: '/doctor',
    summary: 'Problems and fixes: the findings of "zester doctor"',
    // it uses the home's other credentials
    role: 'owner',
    answer: answers.doctor,
    run: async (context) => ({ findings: await homeOf(context).doctor() }),
  }),
];

const WRITES: readonly AnyRoute[] = [
  route({
    method: 'POST',
    path: '/peels/{id}/accept',
    summary: "Accept a pending peel; a given fingerprint must match the peel's key",
    role: roleFor(['peel.accept', 'peel.show']),
    body: bodies.accept,
    answer: answers.decided,
    run: async (context, { id, body, signal }) => ({
      peel: shown(context, await context.fleet.peels.accept(id, { ...body, signal })),
    }),
  }),
  route({
    method: 'POST',
    path: '/peels/{id}/reject',
    summary: 'Reject a peel, which cannot return with this key',
    role: roleFor(['peel.reject']),
    body: bodies.reject,
    answer: answers.decided,
    run: async (context, { id, body, signal }) => ({
      peel: shown(context, await context.fleet.peels.reject(id, { ...body, signal })),
    }),
  }),
  route({
    method: 'POST',
    path: '/peels/{id}/revoke',
    summary: 'Revoke a peel, or one of its keys; responds once every server has confirmed',
    role: roleFor(['peel.revoke']),
    body: bodies.revoke,
    answer: answers.revoked,
    run: async (context, { id, body, signal }) => {
      const { record, revoked } = await context.fleet.peels.revoke(id, { ...body, signal });
      return { peel: shown(context, record), revoked };
    },
  }),
  route({
    method: 'POST',
    path: '/peels/{id}/rotate',
    summary: 'Rotate the key of a peel',
    role: roleFor(['peel.rotate']),
    body: bodies.rotate,
    answer: answers.rotated,
    run: async (context, { id, body, signal }) => {
      const { record, outcome } = await context.fleet.peels.rotate(id, { ...body, signal });
      return { peel: shown(context, record), outcome };
    },
  }),
  route({
    method: 'POST',
    path: '/tokens',
    summary: 'Create a join token: its file is written where the interface runs, and is not in the response',
    role: roleFor(['token.create']),
    body: bodies.token,
    answer: answers.newToken,
    run: async ({ fleet, now, writeToken }, { body, signal }) => {
      const { token, creds } = await fleet.tokens.create({ ...body, signal });
      try {
        const { connection } = fleet;
        const scheme = connection.info?.tls_required === true ? 'tls' : 'nats';
        return {
          token: tokenDocument(token, now()),
          path: await writeToken(token, creds),
          server: `${scheme}://${connection.getServer()}`,
        };
      } finally {
        creds.fill(0);
      }
    },
  }),
  route({
    method: 'DELETE',
    path: '/tokens/{id}',
    summary: 'Remove a join token, so that no host can join with it any more',
    role: roleFor(['token.remove']),
    answer: answers.token,
    run: async ({ fleet, now }, { id, signal }) => ({
      token: tokenDocument(await fleet.tokens.remove(id, { signal }), now()),
    }),
  }),
  route({
    method: 'POST',
    path: '/resume',
    summary: 'Carry out the revocations that the masters hold',
    role: roleFor(['master.resume']),
    body: bodies.resume,
    answer: answers.resumed,
    run: async ({ fleet }, { body, signal }) => {
      const { resumed = null } = await fleet.client.ask('master.resume', body, { signal });
      return { resumed };
    },
  }),
];

/** Every route except sessions, events and the OpenAPI document, which the server answers itself. */
export const ROUTES: readonly AnyRoute[] = [...READS, ...WRITES];

async function summary({ fleet, live, now, version }: ApiContext) {
  await live.ready();
  // show the copy even if no master answers
  const status = await fleet.status().catch((error: unknown) => {
    if (error instanceof FleetError) return undefined;
    throw error;
  });
  return {
    master: status?.master ?? null,
    watching: status?.watching ?? null,
    policy: status?.policy ?? null,
    lifetime: status?.lifetime ?? null,
    held: status?.held ?? null,
    ...summarize(live.peels(), now()),
    versions: { zester: status?.version ?? version, natsServer: fleet.connection.info?.version ?? null },
    position: live.position,
    stale: live.stale ?? (status === undefined ? 'no master answers' : null),
  };
}

/** The record from a master's answer, with the presence of the copy. */
function shown({ live, now }: ApiContext, record: PeelRecord): PeelDocument {
  return peelDocument(record, live.get(record.id)?.presence, now());
}

function homeOf({ home }: ApiContext): NonNullable<ApiContext['home']> {
  if (home !== undefined) return home;
  const words = 'this requires the trust domain: run the command on a machine that has its home';
  throw new ApiError('ERR_API_NOT_FOUND', words);
}
