// Lists the servers, and those that are down.
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { setTimeout as delay } from 'node:timers/promises';
import { NatsServerError } from '../errors.js';
import { requestAll, jsonOf } from './request-all.js';
import { outsideMetaGroup } from './meta-group.js';
import {
  ELECTION_TIMEOUT_MS,
  JETSTREAM_STATE_TIMEOUT_MS,
  META_GROUP_POLL_MS,
  PING_STALL_MS,
  PING_TIMEOUT_MS,
} from '../timing.js';

/** A responding server. */
export interface ServerInfo {
  name: string;
  /** Its public key (`N…`). */
  id: string;
  version: string;
  jetStream: boolean;
  cluster: string | undefined;
  /** Its clock at the time of the answer, ISO 8601. */
  time: string;
  /** The names of the servers of its cluster that it has a route to. */
  routes: readonly string[];
}

interface Ping {
  server?: { name?: string; id?: string; ver?: string; cluster?: string; jetstream?: boolean; time?: string };
  statsz?: { active_servers?: number; routes?: { name?: string }[] };
}

interface JetStreamState {
  server?: { name?: string };
  data?: { meta_cluster?: { leader?: string; cluster_size?: number; replicas?: { name?: string }[] } };
}

/**
 * Lists the responding servers by name.
 *
 * Source: `$SYS.REQ.SERVER.PING` of the system account (docs.nats.io, "System Account").
 *
 * @param nc a connection of the system account
 * @param options.stallMs how long to wait for another answer after each one, in milliseconds
 * @throws NatsServerError `ERR_NATS_SERVER_NOT_SYSTEM` when the user does not belong to the system account;
 *   `ERR_NATS_SERVER_UNREACHABLE` when no server answers
 */
export async function listServers(
  nc: NatsConnection,
  { stallMs = PING_STALL_MS }: { stallMs?: number } = {},
): Promise<ServerInfo[]> {
  let hasNoResponders = false;
  // a server that just died is still counted, so the count only ends the wait early
  const answers = await requestAll(nc, '$SYS.REQ.SERVER.PING', '', allActive, {
    maxWait: PING_TIMEOUT_MS,
    stall: stallMs,
    onNoResponders: () => (hasNoResponders = true),
  });
  const up = answers.flatMap((answer) => serverOf(jsonOf<Ping>(answer)));
  if (up.length === 0) throw hasNoResponders ? notSystem(nc) : silent(nc);
  return up.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function notSystem(nc: NatsConnection): NatsServerError {
  return new NatsServerError(
    'ERR_NATS_SERVER_NOT_SYSTEM',
    `${nc.getServer()} does not answer requests of the system account: it has another system account`,
  );
}

function silent(nc: NatsConnection): NatsServerError {
  return new NatsServerError(
    'ERR_NATS_SERVER_UNREACHABLE',
    `${nc.getServer()} accepted the connection, but no server answered within ${PING_TIMEOUT_MS / 1000} s: it may be ` +
      'overloaded, or not be a nats-server',
  );
}

function allActive(answers: readonly Msg[]): boolean {
  const counts = answers.map((answer) => jsonOf<Ping>(answer)?.statsz?.active_servers ?? Infinity);
  return answers.length >= Math.max(...counts);
}

function serverOf(ping: Ping | undefined): ServerInfo[] {
  const { name, id, ver = '', cluster, jetstream = false, time = '' } = ping?.server ?? {};
  if (name === undefined || id === undefined) return [];
  return [{ name, id, version: ver, jetStream: jetstream, cluster, time, routes: routesOf(ping) }];
}

/** A server has several routes to each other one. */
function routesOf(ping: Ping | undefined): string[] {
  const routes: unknown = ping?.statsz?.routes;
  if (!Array.isArray(routes)) return [];
  const names = routes.map((route: { name?: unknown } | null) => route?.name);
  return [...new Set(names.filter((name) => typeof name === 'string'))];
}

/**
 * The names of the cluster's servers that do not answer. Known from JetStream's meta group, if the cluster has
 * JetStream.
 *
 * Source: `$SYS.REQ.SERVER.PING.JSZ` of the system account.
 *
 * @param up the servers that answer
 */
export async function downServers(nc: NatsConnection, up: readonly ServerInfo[]): Promise<string[]> {
  const withJetStream = up.filter((server) => server.jetStream && server.cluster !== undefined).length;
  if (withJetStream === 0) return [];
  const names = new Set(up.map((server) => server.name));
  const deadline = Date.now() + ELECTION_TIMEOUT_MS;
  for (;;) {
    const answers = await requestAll(
      nc,
      '$SYS.REQ.SERVER.PING.JSZ',
      '',
      (all) => all.length >= withJetStream || all.some((answer) => replicasOf(answer).length > 0),
      { maxWait: JETSTREAM_STATE_TIMEOUT_MS, stall: PING_STALL_MS },
    );
    const down = [...new Set(answers.flatMap(namesIn))].filter((name) => !names.has(name)).sort();
    const missing = Math.max(0, ...answers.map((answer) => sizeOf(answer))) - withJetStream - down.length;
    if (missing <= 0) return down;
    if (Date.now() >= deadline) return [...down, `${missing} of the cluster whose names are unknown`];
    await delay(META_GROUP_POLL_MS);
  }
}

/**
 * The names of servers that run with JetStream and are missing from its meta group: see `outsideMetaGroup`.
 *
 * @param up the servers that answer; queried by default
 * @param options.graceMs how long a server may be missing before it is reported, in milliseconds: one that has just
 *   started is not in the group yet. 0 by default
 * @returns undefined when no leader answered
 * @throws as {@link listServers}
 */
export async function outsideJetStream(
  nc: NatsConnection,
  up?: readonly ServerInfo[],
  { graceMs = 0 }: { graceMs?: number } = {},
): Promise<string[] | undefined> {
  const servers = up ?? (await listServers(nc));
  const withJetStream = servers.filter(({ jetStream, cluster }) => jetStream && cluster !== undefined).length;
  if (withJetStream === 0) return [];
  const deadline = Date.now() + graceMs;
  for (;;) {
    const answers = await requestAll(
      nc,
      '$SYS.REQ.SERVER.PING.JSZ',
      '',
      (all) => all.length >= withJetStream,
      {
        maxWait: JETSTREAM_STATE_TIMEOUT_MS,
        stall: PING_STALL_MS,
      },
    );
    const outside = outsideMetaGroup(
      servers,
      answers.map((answer) => ({ server: jsonOf<JetStreamState>(answer)?.server?.name, ...metaOf(answer) })),
    );
    if (outside?.length === 0 || Date.now() >= deadline) return outside;
    await delay(META_GROUP_POLL_MS);
  }
}

/** The leader lists the others; followers name the leader, even one that has just died. */
function namesIn(answer: Msg): string[] {
  const leader = metaOf(answer)?.leader ?? '';
  return [...replicasOf(answer), ...(leader === '' ? [] : [leader])];
}

function replicasOf(answer: Msg): string[] {
  return (metaOf(answer)?.replicas ?? []).flatMap(({ name }) => name ?? []);
}

function sizeOf(answer: Msg): number {
  return metaOf(answer)?.cluster_size ?? 0;
}

function metaOf(answer: Msg): NonNullable<JetStreamState['data']>['meta_cluster'] {
  return jsonOf<JetStreamState>(answer)?.data?.meta_cluster;
}
