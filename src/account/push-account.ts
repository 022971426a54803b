// Pushes an account JWT to every server, and reports which servers confirmed.
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { withDeadline } from '../async/deadline.js';
import { NatsServerError } from '../errors.js';
import { requestAll, jsonOf } from '../system-account/request-all.js';
import type { DirectConnections } from '../system-account/direct-connections.js';
import type { ServerInfo } from '../system-account/servers.js';
import { PUSH_SETTLE_MS, PUSH_TIMEOUT_MS, RESOLVER_INTERVAL_SECONDS } from '../timing.js';
import type { Ban } from './ban.js';
import { watchLateServers } from './late-servers.js';

/** The result of a push, by server. */
export interface PushReport {
  /** The names of the servers on which it is in force. */
  confirmed: string[];
  /** Servers that answered with an error, or are up but did not answer in time. */
  failed: { server: string; problem: string }[];
  /** Servers of the cluster that are down (names), and URLs without an answer. */
  notReached: string[];
}

interface Answer {
  server?: { name?: string; id?: string };
  data?: { code?: number; message?: string };
  error?: { code?: number; description?: string };
}

/**
 * Pushes an account JWT to every server; each confirms by name whether it is in force there. Source:
 * `$SYS.REQ.CLAIMS.UPDATE` of the system account, which servers with a `full` or `cache` resolver answer.
 *
 * A server answers when it has verified the JWTs of all connections of the account, seconds later if there are
 * thousands (docs/nats-facts.md, 40), but refuses a new revocation's keys at once. So a late server counts as
 * confirmed when it reports the revocations of the push: `lockOut` then cuts the connections.
 *
 * @param pushed.ban the revocations of the push; undefined: only the answers count
 * @returns `notReached` is empty: see `downServers`
 * @throws NatsServerError `ERR_NATS_SERVER_RESOLVER` when no server accepts account JWTs;
 *   `ERR_NATS_SERVER_PUSH_INCOMPLETE` when none answers in time
 */
export async function pushToServers(
  connected: PushConnections,
  { jwt, account, ban }: { jwt: string; account: string; ban?: Ban | undefined },
): Promise<PushReport> {
  const { up, direct, pushing } = connected;
  await pushing?.settled(jwt);
  const push = sendPush(connected, jwt, ban?.isAmong !== undefined);
  const late = () => up.filter(({ id }) => !push.answers.has(id));
  const enforcing = new Set<string>();
  const end = new AbortController();
  const watching = watchLateServers({ direct, account, late, ended: end.signal }, ban, enforcing);
  const isSettled = () => late().every(({ id }) => enforcing.has(id));
  try {
    const settled = Promise.race([
      push.answered,
      watching.then(() => (isSettled() ? undefined : push.answered)),
    ]);
    await withDeadline(settled, Date.now() + PUSH_TIMEOUT_MS);
  } finally {
    end.abort();
  }
  if (push.answers.size + enforcing.size === 0)
    throw (push.isRefused() ? noResolver : noConfirmation)(up.map(({ name }) => name));
  const report: PushReport = { confirmed: [], failed: [], notReached: [] };
  for (const { id, name } of up) {
    const answer = push.answers.get(id);
    const isInForce = answer === undefined ? enforcing.has(id) : answer.data?.code === 200;
    if (isInForce) report.confirmed.push(name);
    else report.failed.push({ server: name, problem: problemOf(answer) });
  }
  return report;
}

/** The connections of a push. */
interface PushConnections {
  nc: NatsConnection;
  up: readonly ServerInfo[];
  /** For querying late servers. */
  direct: DirectConnections;
  /** To send it to each server; by default over `nc`, and the servers pass it on. */
  pushing?: DirectConnections | undefined;
}

/** A push in progress. */
interface SentPush {
  /** By the server's ID; more may arrive. */
  answers: ReadonlyMap<string, Answer>;
  /** Resolves when every server has answered, or no more answers are expected. */
  answered: Promise<unknown>;
  /** Whether the server that received it has no resolver that accepts account JWTs. */
  isRefused(): boolean;
}

/**
 * Sends an account JWT to the servers. The first server passes it on when it has applied it; so if every server applies
 * it for seconds, it is sent to each of them.
 *
 * @param isToEach whether to send it over the connections to each server
 */
function sendPush({ nc, up, pushing }: PushConnections, jwt: string, isToEach: boolean): SentPush {
  const answers = new Map<string, Answer>();
  let isRefused = false;
  const send = (over: NatsConnection, maxWait: number) =>
    requestAll(
      over,
      '$SYS.REQ.CLAIMS.UPDATE',
      jwt,
      (all) => {
        const answer = jsonOf<Answer>(all.at(-1) as Msg);
        const id = answer?.server?.id;
        if (id !== undefined && answers.get(id)?.data?.code !== 200) answers.set(id, answer as Answer);
        if (up.every((server) => answers.has(server.id))) complete();
        return all.length >= up.length;
      },
      { maxWait, onNoResponders: () => (isRefused = true) },
    );
  let complete: () => void = () => undefined;
  const completed = new Promise<void>((resolve) => (complete = resolve));
  const each = isToEach && pushing !== undefined ? up.filter(({ id }) => pushing.has(id)) : [];
  // a connection that closes meanwhile gets no answers
  const sent = each.map(({ id }) => send(pushing?.over(id) ?? nc, PUSH_SETTLE_MS).catch(() => []));
  pushing?.settling(jwt, Promise.allSettled(sent));
  if (each.length < up.length) sent.push(send(nc, PUSH_TIMEOUT_MS));
  return { answers, answered: Promise.race([completed, Promise.all(sent)]), isRefused: () => isRefused };
}

function problemOf(answer: Answer | undefined): string {
  if (answer === undefined) {
    return `no answer within ${PUSH_TIMEOUT_MS / 1000} s: is its resolver of the type full?`;
  }
  return answer.error?.description ?? answer.data?.message ?? 'an answer without a result';
}

function noResolver(names: readonly string[]): NatsServerError {
  return new NatsServerError(
    'ERR_NATS_SERVER_RESOLVER',
    `${names.join(', ')} ${names.length === 1 ? 'accepts' : 'accept'} no account JWTs: the configured resolver is of ` +
      'type MEMORY (or URL), so nothing can be revoked while the server runs; set "type: full" as ' +
      '"zester server config" prints',
  );
}

function noConfirmation(names: readonly string[]): NatsServerError {
  return new NatsServerError(
    'ERR_NATS_SERVER_PUSH_INCOMPLETE',
    `no server confirmed the account JWT within ${PUSH_TIMEOUT_MS / 1000} s (${names.join(', ')}): it may still come into ` +
      'force, since a server takes longer the more connections the account has; run the command again',
  );
}

/** Adds failures to a report: those servers have the JWT, but count as failed. */
export function withFailed(report: PushReport, failed: PushReport['failed']): PushReport {
  const names = new Set(failed.map(({ server }) => server));
  return {
    ...report,
    confirmed: report.confirmed.filter((name) => !names.has(name)),
    failed: [...report.failed, ...failed],
  };
}

/** Whether every server of the cluster has it. */
export function isComplete(report: PushReport): boolean {
  return report.failed.length === 0 && report.notReached.length === 0;
}

/**
 * Checks that every server has it.
 *
 * @param what the pushed item, for the message
 * @throws NatsServerError `ERR_NATS_SERVER_PUSH_REFUSED` when no server accepted it, `ERR_NATS_SERVER_PUSH_INCOMPLETE`
 *   when some did not; the message names them
 */
export function requireComplete(report: PushReport, what: string): void {
  if (isComplete(report)) return;
  const failed = report.failed.map(({ server, problem }) => `${server} (${problem})`);
  if (report.confirmed.length === 0) {
    throw new NatsServerError(
      'ERR_NATS_SERVER_PUSH_REFUSED',
      `${what} was not accepted by ${failed.join(', ')}`,
    );
  }
  const parts = [
    ...(report.notReached.length === 0
      ? []
      : [
          `not reached: ${report.notReached.join(', ')} (a server that comes back gets it from the others within ` +
            `${RESOLVER_INTERVAL_SECONDS} s with the configuration of "zester server config"; "zester account push" confirms it)`,
        ]),
    ...(failed.length === 0 ? [] : [`not accepted by ${failed.join(', ')}`]),
  ];
  throw new NatsServerError(
    'ERR_NATS_SERVER_PUSH_INCOMPLETE',
    `${what} is in force on ${report.confirmed.join(', ')}; ${parts.join('; ')}`,
  );
}
