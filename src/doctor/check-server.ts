// Checks the servers: reachable, trusted operator, JetStream, clock, account.
import { errorMessage } from '../text/error-message.js';
import { shellWord } from '../text/shell-word.js';
import type { NatsConnection } from '@nats-io/transport-node';
import { dial } from '../connection/dial.js';
import { loadCredsFile } from '../creds/parse.js';
import { ZesterError } from '../errors.js';
import type { TrustDomain } from '../trust/domain.js';
import { findingOf, type Finding } from '../trust/finding.js';
import { templateOf } from '../trust/user-permissions.js';
import { describeLosses } from '../trust/account-jwt/merge-account.js';
import { judgeRetention } from '../account/judge-retention.js';
import { AUDIT_STREAM } from '../permissions/names.js';
import { accountStreams, type AccountStream } from '../system-account/account-streams.js';
import { acknowledgingStreams } from '../account/acknowledging-streams.js';
import { showAccount } from '../account/check-account.js';
import { askServer } from '../system-account/ask-server.js';
import { jsonOf } from '../system-account/request-all.js';
import { storageFailures } from '../system-account/jetstream-health.js';
import { jetStreamStorage } from '../system-account/jetstream-storage.js';
import { STORAGE_PROBLEM_FIX, describeStorageProblem } from '../system-account/storage-problem.js';
import { LOW_STORAGE_FIX, lowStorage } from '../system-account/storage-headroom.js';
import { downServers, listServers, outsideJetStream, type ServerInfo } from '../system-account/servers.js';
import { versionProblems } from '../system-account/server-versions.js';
import { unguardedStreams } from '../account/stream-guards.js';
import { weakUsers } from '../account/weak-users.js';
import { connectSystem, tlsOf, type SystemConnectionOptions } from '../system-account/system-connection.js';
import {
  CONNECT_ONCE_TIMEOUT_MS,
  JETSTREAM_JOIN_GRACE_MS,
  SERVER_CLOCK_ERROR_MS,
  SERVER_CLOCK_WARNING_MS,
  SERVER_REQUEST_TIMEOUT_MS,
} from '../timing.js';

/** The result of {@link checkServers}. */
export interface ServerFindings {
  findings: Finding[];
  /** The smallest `max_control_line` of the servers, in bytes; undefined: unknown. */
  maxControlLine: number | undefined;
}

/**
 * Checks the servers of a trust domain: reachable, trusting this operator, JetStream, clocks, the account as pushed,
 * and whether they accept the master's credentials. Changes nothing.
 *
 * @param options.now milliseconds since 1970, as `Date.now`
 */
export async function checkServers(
  domain: TrustDomain,
  options: SystemConnectionOptions & { now?: () => number },
): Promise<ServerFindings> {
  const where = options.servers.join(', ');
  const findings: Finding[] = [];
  let nc: NatsConnection;
  try {
    nc = await connectSystem(domain, options);
  } catch (error) {
    return { findings: [findingOf(error, 'reachable', where)], maxControlLine: undefined };
  }
  let maxControlLine: number | undefined;
  try {
    findings.push({
      severity: 'ok',
      check: 'reachable',
      subject: where,
      message: `it trusts the operator ${domain.names.operator}`,
    });
    const up = await listServers(nc);
    const down = await downServers(nc, up);
    for (const server of up) {
      const { findings: found, maxControlLine: bytes } = await checkOne(
        nc,
        server,
        domain,
        options.now ?? Date.now,
      );
      findings.push(...found);
      if (bytes !== undefined) maxControlLine = Math.min(maxControlLine ?? bytes, bytes);
    }
    findings.push(...versionFindings(up));
    findings.push(...metaGroupFindings(await outsideJetStream(nc, up, { graceMs: JETSTREAM_JOIN_GRACE_MS })));
    for (const storage of await jetStreamStorage(nc, up.length)) {
      const message = lowStorage(storage);
      if (message === undefined) continue;
      findings.push({
        severity: 'warning',
        check: 'storage',
        subject: storage.server,
        message,
        fix: LOW_STORAGE_FIX,
      });
    }
    for (const { server, reason } of await storageFailures(nc, domain.publicKeys.account, up.length)) {
      findings.push({
        severity: 'error',
        check: 'storage',
        subject: server,
        message: describeStorageProblem(reason),
        fix: STORAGE_PROBLEM_FIX,
      });
    }
    for (const name of down) {
      findings.push({
        severity: 'warning',
        check: 'reachable',
        subject: name,
        message: 'belongs to the cluster but does not answer',
        fix: 'start it, or remove it from the cluster',
      });
    }
    findings.push(await checkAccount(domain, options));
    findings.push(...(await checkStreams(nc, domain)), ...(await checkWeakUsers(nc, domain)));
    findings.push(await checkMaster(domain, options));
  } catch (error) {
    findings.push(findingOf(error, 'server', where));
  } finally {
    await nc.close();
  }
  return { findings, maxControlLine };
}

/** @param outside the servers missing from JetStream's meta group; undefined: it has no leader to report them */
function metaGroupFindings(outside: readonly string[] | undefined): Finding[] {
  if (outside === undefined) {
    return [
      {
        severity: 'error',
        check: 'jetstream',
        subject: 'meta group',
        message: `JetStream has had no leader for ${JETSTREAM_JOIN_GRACE_MS / 1000} s: nothing can be written or placed`,
        fix: 'start the servers that are down; a cluster needs more than half of its servers',
      },
    ];
  }
  return outside.map((subject) => ({
    severity: 'error',
    check: 'jetstream',
    subject,
    message: "it runs, but is missing from JetStream's meta group: nothing can be placed on it",
    fix: 'restart it',
  }));
}

/** An old or unknown version, by server; nothing for supported ones. */
function versionFindings(up: readonly ServerInfo[]): Finding[] {
  return versionProblems(up).map(({ server, support, message, fix }) => ({
    severity: support === 'too-old' ? 'error' : 'warning',
    check: 'version',
    subject: server,
    message,
    fix,
    ...(support === 'too-old' && { code: 'ERR_SERVER_TOO_OLD' }),
  }));
}

async function checkOne(
  nc: NatsConnection,
  server: ServerInfo,
  domain: TrustDomain,
  now: () => number,
): Promise<{ findings: Finding[]; maxControlLine: number | undefined }> {
  const subject = server.name;
  const findings: Finding[] = [
    server.jetStream
      ? { severity: 'ok', check: 'jetstream', subject, message: `on (nats-server ${server.version})` }
      : {
          severity: 'error',
          check: 'jetstream',
          subject,
          message: "JetStream is off, but it stores the fleet's state",
          fix: 'add a "jetstream" block to its configuration ("zester server config" prints one), and restart it',
        },
  ];
  const before = now();
  const answer = await askServer(nc, server.id, 'VARZ', undefined, SERVER_REQUEST_TIMEOUT_MS).catch(
    () => undefined,
  );
  const after = now();
  const varz =
    answer &&
    jsonOf<{
      server?: { time?: string };
      data?: { max_control_line?: number; leaf?: { port?: number } };
    }>(answer);
  const time = Date.parse(varz?.server?.time ?? '');
  if (!Number.isNaN(time)) findings.push(clockFinding(subject, time, before, after));
  if ((varz?.data?.leaf?.port ?? 0) > 0) findings.push(...leafnodeFindings(subject, domain));
  return { findings, maxControlLine: varz?.data?.max_control_line };
}

/** An open leafnode port that credentials of peels or join tokens may use (docs/nats-facts.md, 30). */
function leafnodeFindings(subject: string, domain: TrustDomain): Finding[] {
  const keys = domain.accountClaims.nats.signing_keys ?? [];
  const open = keys.filter(
    (key) => typeof key !== 'string' && allowsLeafnodes(key.template.allowed_connection_types),
  );
  const base = { check: 'leafnode', subject };
  if (open.length === 0) {
    return [
      {
        ...base,
        severity: 'ok',
        message: 'its leafnode port is open, and no template of a signing key allows leafnodes',
      },
    ];
  }
  const names = open.map((key) => (typeof key === 'string' ? key : `${key.role ?? ''} ${key.key}`.trim()));
  return [
    {
      ...base,
      severity: 'error',
      message: `its leafnode port is open, and users signed by these keys can publish anything through it: ${names.join(', ')}`,
      fix: 'limit their templates to STANDARD and WEBSOCKET (docs/upgrading.md), or close the port ("leafnodes" in its configuration)',
    },
  ];
}

/** No list, or an empty one, means every type. */
function allowsLeafnodes(types: readonly string[] = []): boolean {
  return types.length === 0 || types.some((type) => type.toUpperCase().startsWith('LEAFNODE'));
}

/** The server read its clock between our two readings, so only an offset outside them is certain. */
function clockFinding(subject: string, time: number, before: number, after: number): Finding {
  const off = time < before ? time - before : time > after ? time - after : 0;
  const seconds = (Math.abs(off) / 1000).toFixed(1);
  const base = { check: 'clock', subject };
  if (Math.abs(off) <= SERVER_CLOCK_WARNING_MS) {
    return {
      ...base,
      severity: 'ok',
      message: `its clock agrees with this machine's within ${SERVER_CLOCK_WARNING_MS / 1000} s`,
    };
  }
  return {
    ...base,
    severity: Math.abs(off) > SERVER_CLOCK_ERROR_MS ? 'error' : 'warning',
    message: `its clock is ${seconds} s ${off < 0 ? 'behind' : 'ahead of'} this machine's: they disagree about when a credential expires`,
    fix: 'set both clocks by NTP (timedatectl set-ntp true)',
  };
}

/** Connected users with grants that no user should have. */
async function checkWeakUsers(nc: NatsConnection, domain: TrustDomain): Promise<Finding[]> {
  const weak = await weakUsers(nc, domain.publicKeys.account);
  return weak.map(({ name, publicKey, why }) => ({
    severity: 'error',
    check: 'migration',
    subject: `${name} (${publicKey})`,
    message: `is connected with a JWT that ${why.join(' and ')}`,
    fix: `for a peel, run "zester permissions migrate"; for another user, issue a new credential, then run "zester revoke --key ${shellWord(publicKey)}"`,
  }));
}

/** Streams that acknowledge peels on any subject, and fleet streams that can be emptied. */
async function checkStreams(nc: NatsConnection, domain: TrustDomain): Promise<Finding[]> {
  const { streams } = await accountStreams(nc, domain.publicKeys.account);
  const template = templateOf(domain.accountClaims, domain.publicKeys.peelSigning);
  return [
    ...acknowledgingStreams(streams, template?.pub?.allow).map((name): Finding => ({
      severity: 'error',
      check: 'stream',
      subject: name,
      message:
        'it acknowledges messages from peels: a peel can direct the acknowledgement to any subject, and so overwrite records ' +
        'or send commands',
      fix: `disable its acknowledgements ("no_ack": nats stream edit ${shellWord(name)} --no-ack)`,
    })),
    ...retentionFindings(streams, Date.now()),
    // a warning, like an old master.creds: only a stolen master credential can exploit it
    ...unguardedStreams(streams).map(({ name, allows }): Finding => ({
      severity: 'warning',
      check: 'stream',
      subject: name,
      message: `it allows ${allows.join(', ')}: a stolen master credential could empty it`,
      fix: 'upgrade all masters, then run "zester permissions migrate" (docs/upgrading.md)',
    })),
  ];
}

/** Audit events that are about to be deleted, or are gone without an explanation. */
function retentionFindings(streams: readonly AccountStream[], now: number): Finding[] {
  const verdicts = streams.flatMap(({ name, config, state }) =>
    name === AUDIT_STREAM && config !== undefined && state !== undefined
      ? [judgeRetention({ config, state }, now)]
      : [],
  );
  const base = { check: 'audit', subject: AUDIT_STREAM, severity: 'warning' } as const;
  const [gone] = verdicts.filter(({ deleted }) => deleted === 'unexplained');
  if (gone !== undefined)
    return [
      {
        ...base,
        message: `its events before ${gone.oldest ?? 'now'} are gone, and its retention did not delete them`,
        fix: 'run "zester doctor --integrity"; if it was not emptied on purpose, restore it from a backup',
      },
    ];
  const [due] = verdicts.filter(({ soon }) => soon !== undefined);
  if (due === undefined) return [];
  return [
    {
      ...base,
      message: `its oldest events, from ${due.oldest ?? 'now'}, will be deleted soon, because of their ${due.soon === 'age' ? 'age' : 'size'}`,
      fix: 'export them with "zester audit --all --json", or raise the limit with "zester audit retention"',
    },
  ];
}

async function checkAccount(domain: TrustDomain, options: SystemConnectionOptions): Promise<Finding> {
  const base = { check: 'account', subject: domain.names.account };
  const view = await showAccount(domain.home, options);
  const lost = describeLosses(view.lost);
  if (lost.length > 0) {
    const where = view.lost.by === 'home' ? "the home's account JWT" : "the servers' account JWT";
    return {
      ...base,
      severity: 'error',
      message: `${where} is newer and lost the ${lost.join(', the ')}: another tool signed an older state of the account`,
      fix:
        '"zester account push" restores it, and keeps the changes of the other tool and the replaced JWT; if the loss was ' +
        'intended, use "zester account push --accept-removals"; with nsc, run "nsc pull" before each "nsc edit"',
    };
  }
  const other = view.servers.filter(({ same }) => same !== true).map(({ server }) => server);
  if (other.length === 0) {
    return {
      ...base,
      severity: 'ok',
      message: "every server that answers has the home's account JWT",
    };
  }
  return {
    ...base,
    severity: 'warning',
    message: `differs from the home on ${other.join(', ')}`,
    fix: 'compare them with "zester account show", and push with "zester account push"',
  };
}

async function checkMaster(domain: TrustDomain, options: SystemConnectionOptions): Promise<Finding> {
  const path = domain.paths.masterCreds;
  try {
    const creds = await loadCredsFile(path);
    try {
      const nc = await dial({
        ...tlsOf(domain, options),
        servers: [...options.servers],
        authenticator: (nonce?: string) => creds.authenticate(nonce),
        name: 'zester-doctor',
        reconnect: false,
        timeout: options.timeoutMs ?? CONNECT_ONCE_TIMEOUT_MS,
      });
      await nc.close();
    } finally {
      creds.wipe();
    }
    return { severity: 'ok', check: 'master', subject: path, message: 'the server accepts it' };
  } catch (error) {
    if (error instanceof ZesterError) return findingOf(error, 'master', path);
    return {
      severity: 'error',
      check: 'master',
      subject: path,
      message: `the server refuses it: ${errorMessage(error)}`,
      fix: 'the server lacks the account or has another one (run "zester account push"), or the credential is revoked',
    };
  }
}
