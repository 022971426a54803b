import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { NatsServerError } from '../errors.js';
import { askAll, jsonOf } from './ask-all.js';

/** A server that answers. */
export interface ServerInfo {
  name: string;
  /** Its public key (`N…`). */
  id: string;
  version: string;
  jetStream: boolean;
  cluster: string | undefined;
  /** Its clock at the answer, ISO 8601. */
  time: string;
}

/** The servers of a cluster, or the one server. */
export interface Servers {
  up: ServerInfo[];
  /** Names of servers that belong to the cluster and do not answer; known where it has JetStream. */
  down: string[];
}

interface Ping {
  server?: { name?: string; id?: string; ver?: string; cluster?: string; jetstream?: boolean; time?: string };
  statsz?: { active_servers?: number };
}

interface JetStreamState {
  server?: { name?: string };
  data?: { meta_cluster?: { leader?: string; replicas?: { name?: string }[] } };
}

/**
 * Lists the servers, each by its name: those that answer, and those of JetStream's meta group that do not.
 *
 * Source: `$SYS.REQ.SERVER.PING` and `$SYS.REQ.SERVER.PING.JSZ` of the system account
 * (docs.nats.io, "System Account").
 *
 * @param nc a connection of the system account
 * @throws NatsServerError `ERR_NATS_SERVER_NOT_SYSTEM` when no server answers: the user is none of the system account
 */
export async function listServers(nc: NatsConnection): Promise<Servers> {
  // a server that just died is still counted, so the count only ends the wait early
  const answers = await askAll(nc, '$SYS.REQ.SERVER.PING', '', allActive, { maxWait: 3_000, stall: 300 });
  const up = answers.flatMap((answer) => serverOf(jsonOf<Ping>(answer)));
  if (up.length === 0) {
    throw new NatsServerError(
      'ERR_NATS_SERVER_NOT_SYSTEM',
      `${nc.getServer()} does not answer as a server answers users of its system account: its system account is another`,
    );
  }
  up.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { up, down: up.length > 0 ? await namesOfDown(nc, up) : [] };
}

function allActive(answers: readonly Msg[]): boolean {
  const counts = answers.map((answer) => jsonOf<Ping>(answer)?.statsz?.active_servers ?? Infinity);
  return answers.length >= Math.max(...counts);
}

function serverOf(ping: Ping | undefined): ServerInfo[] {
  const { name, id, ver = '', cluster, jetstream = false, time = '' } = ping?.server ?? {};
  if (name === undefined || id === undefined) return [];
  return [{ name, id, version: ver, jetStream: jetstream, cluster, time }];
}

async function namesOfDown(nc: NatsConnection, up: readonly ServerInfo[]): Promise<string[]> {
  const withJetStream = up.filter((server) => server.jetStream && server.cluster !== undefined).length;
  if (withJetStream === 0) return [];
  const answers = await askAll(
    nc,
    '$SYS.REQ.SERVER.PING.JSZ',
    '',
    (all) => all.length >= withJetStream || all.some((answer) => replicasOf(answer).length > 0),
    { maxWait: 2_000, stall: 300 },
  );
  const names = new Set(up.map((server) => server.name));
  return [...new Set(answers.flatMap(replicasOf))].filter((name) => !names.has(name)).sort();
}

/** Only the leader lists the others. */
function replicasOf(answer: Msg): string[] {
  const replicas = jsonOf<JetStreamState>(answer)?.data?.meta_cluster?.replicas ?? [];
  return replicas.flatMap(({ name }) => name ?? []);
}
