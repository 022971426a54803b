// Pushes an account JWT to every server, and reports which servers confirmed.
import type { NatsConnection } from '@nats-io/transport-node';
import { NatsServerError } from '../errors.js';
import { askAll, jsonOf } from '../system-account/ask-all.js';
import type { ServerInfo } from '../system-account/servers.js';
import { PUSH_TIMEOUT_MS, RESOLVER_INTERVAL_SECONDS } from '../timing.js';

/** The result of a push, by server. */
export interface PushReport {
  /** The names of the servers on which it is in force. */
  confirmed: string[];
  /** Servers that answered with an error, or are are up but did not answer in time. */
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
 * @param nc a connection of the system account
 * @param up the responding servers
 * @returns `notReached` is empty: see `downServers`
 * @throws NatsServerError `ERR_NATS_SERVER_RESOLVER` when no server accepts account JWTs
 */
export async function pushToServers(
  nc: NatsConnection,
  jwt: string,
  up: readonly ServerInfo[],
): Promise<PushReport> {
  const answers = await askAll(nc, '$SYS.REQ.CLAIMS.UPDATE', jwt, (all) => all.length >= up.length, {
    maxWait: PUSH_TIMEOUT_MS,
  });
  if (answers.length === 0) throw noResolver(up.map(({ name }) => name));
  const byId = new Map(answers.map((answer) => [jsonOf<Answer>(answer)?.server?.id, jsonOf<Answer>(answer)]));
  const report: PushReport = { confirmed: [], failed: [], notReached: [] };
  for (const { id, name } of up) {
    const answer = byId.get(id);
    if (answer?.data?.code === 200) report.confirmed.push(name);
    else report.failed.push({ server: name, problem: problemOf(answer) });
  }
  return report;
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

/** The report, with servers that have it but are not done. */
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
