import { connect, type NatsConnection } from '@nats-io/transport-node';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { connectMaster } from '../src/connection/connect.js';
import { generateCredsFile } from '../src/creds/generate.js';
import { loadCredsFile, parseCredsData } from '../src/creds/parse.js';
import { AdminClient, requestMaster, newRequestId } from '../src/protocol/admin-client.js';
import { encodeJson, parseAnswer, type HeldRecovery } from '../src/protocol/messages.js';
import { heldRecovery } from '../src/peel/held-recovery.js';
import { joinProof } from '../src/protocol/proofs.js';
import { MessageSigner } from '../src/protocol/signed.js';
import { authSubject, enrollSubject } from '../src/permissions/names.js';
import { startNatsServer, type RunningNatsServer } from '../src/nats-server/run.js';
import { writeServerConfiguration } from '../src/nats-server/write-configuration.js';
import { generateKeyBundle, type KeyBundle } from '../src/nkeys/key-bundle.js';
import { peelInboxPrefix } from '../src/permissions/names.js';
import { joinName, joinInboxPrefix } from '../src/permissions/roles.js';
import { createTrustDomain } from '../src/trust/create/create.js';
import type { TrustDomain } from '../src/trust/domain.js';
import { printBars } from './report.js';

const PEELS = 4_000;
/** Peels that enrol before those that are measured: V8 compiles a master's code during its first seconds. */
const WARM_UP_PEELS = 2_000;
/** Join tokens that the peels come with: a master takes so many requests a second of one. */
const TOKENS = 80;
/** Requests under way at once. */
const AT_ONCE = 64;
/** Times that each peel renews, together fewer than it may at once. The first ones are printed, but not compared. */
const RENEWALS_EACH = { warmUp: 5, measured: 5 } as const;

/** Without it, the client captures a stack for each request, with CPU that the masters need. */
const CHEAP = { noAsyncTraces: true } as const;

/** What masters did: how many a second, and their CPU for each, in milliseconds. */
interface Throughput {
  perSecond: number;
  cpuMs: number;
}

/**
 * What masters do in a second, with one and with three. Needs `npm run build` first:
 * the masters are `zester master`, processes of their own. The peels are connections of this process, and the server and
 * all of them share the machine's cores.
 */
export async function fleet(): Promise<boolean> {
  console.log(
    `fleet: ${PEELS} peels, ${AT_ONCE} requests under way; masters are processes, all on this machine`,
  );
  const one = await throughput(1);
  const three = await throughput(3);
  const atLeast = { unit: '/s', kind: 'at least' } as const;
  const atMost = { kind: 'at most' } as const;
  return printBars([
    { what: 'renewals of one master', ratio: one.renewals.perSecond, bound: 2_500, ...atLeast },
    { what: 'its CPU for each', ratio: one.renewals.cpuMs, bound: 0.4, unit: 'ms', ...atMost },
    { what: 'enrolments of one master', ratio: one.enrolments.perSecond, bound: 1_000, ...atLeast },
    {
      what: "three masters' CPU for a renewal, over that of one",
      ratio: three.renewals.cpuMs / one.renewals.cpuMs,
      bound: 1.3,
      ...atMost,
    },
  ]);
}

async function throughput(count: number): Promise<{ enrolments: Throughput; renewals: Throughput }> {
  let measured: { enrolments: Throughput; renewals: Throughput } | undefined;
  await withFleet(async (fleet) => {
    const masters = await Promise.all(
      Array.from({ length: count }, () => startMaster(fleet, 'auto-trusted')),
    );
    const cpu = () => masters.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
    const admin = await fleet.admin();
    const tokens = await Promise.all(Array.from({ length: TOKENS }, () => tokenConnection(fleet, admin)));
    const name = `${count} master${count > 1 ? 's' : ''}`;
    const keys = Array.from({ length: PEELS + WARM_UP_PEELS }, () => generateKeyBundle('user'));

    const enrolled: Enrolled[] = [];
    const enrolNext = async (i: number) => {
      const token = tokens[i % TOKENS];
      const key = keys[i];
      if (token !== undefined && key !== undefined) enrolled[i] = await enroll(token, `web-${i}`, key);
    };
    const measure = async (what: string, times: number, act: (i: number) => Promise<void>) => {
      const before = cpu();
      return report(`${name}: ${what}`, times, await timed(times, act), cpu() - before);
    };
    await measure('the first enrolments', WARM_UP_PEELS, (i) => enrolNext(PEELS + i));
    const enrolments = await measure('enrolments', PEELS, enrolNext);

    const peels: NatsConnection[] = [];
    await timed(PEELS, async (i) => {
      const creds = parseCredsData(
        generateCredsFile(enrolled[i]?.jwt ?? '', keys[i]?.seed ?? new Uint8Array()),
        `web-${i}`,
      );
      peels[i] = await connect({
        ...creds.natsOption(),
        servers: fleet.url,
        inboxPrefix: peelInboxPrefix(`web-${i}`),
        ...CHEAP,
      });
    });
    const renewNext = async (n: number) => {
      const i = n % PEELS;
      const nc = peels[i];
      const publicKey = keys[i]?.publicKey ?? '';
      if (nc === undefined) return;
      const request = { requestId: newRequestId(), publicKey, recovery: enrolled[i]?.recovery };
      const data = encodeJson(request);
      const answer = await requestMaster(nc, authSubject(`web-${i}`, 'renew'), data);
      parseAnswer('renew', answer.data);
    };
    await measure('the first renewals', PEELS * RENEWALS_EACH.warmUp, renewNext);
    const renewals = await measure('renewals', PEELS * RENEWALS_EACH.measured, renewNext);
    measured = { enrolments, renewals };
    await Promise.all([...peels, ...tokens.map(({ nc }) => nc)].map((nc) => nc.close()));
    await Promise.all(masters.map(({ stop }) => stop()));
  });
  if (measured === undefined) throw new Error('nothing was measured');
  return measured;
}

/** A home and a server on it. */
export interface BenchFleet {
  domain: TrustDomain;
  url: string;
  admin(): Promise<AdminClient>;
  /** A connection as a master, for what no command does. */
  master(): Promise<NatsConnection>;
}

export async function withFleet(act: (fleet: BenchFleet) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'zester-bench-'));
  const open: NatsConnection[] = [];
  let server: RunningNatsServer | undefined;
  try {
    const domain = await createTrustDomain(join(dir, 'home'));
    server = await startNatsServer({ configPath: await writeServerConfiguration(domain, { port: -1 }) });
    const { url } = server;
    const connected = async (credsPath: string) => {
      const nc = await connectMaster({ servers: url, credsPath });
      open.push(nc);
      return nc;
    };
    await act({
      domain,
      url,
      admin: async () => {
        const path = domain.paths.adminCreds;
        const nc = await connected(path);
        return new AdminClient(nc, new MessageSigner(await loadCredsFile(path)), { timeoutMs: 30_000 });
      },
      master: () => connected(domain.paths.masterCreds),
    });
  } finally {
    await Promise.all(open.map((nc) => nc.close()));
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

export interface MasterProcess {
  pid: number;
  /** From the start of the process until it answers. */
  readyMs: number;
  stop(): Promise<void>;
}

/** @param options more options of `zester master` */
export async function startMaster(
  fleet: BenchFleet,
  policy: string,
  options: readonly string[] = [],
): Promise<MasterProcess> {
  const start = performance.now();
  const child: ChildProcess = spawn(
    process.execPath,
    [
      ...[resolve('dist/cli/main.js'), 'master', '--home', fleet.domain.home, '--servers', fleet.url],
      ...['--policy', policy, '--log-level', 'warn', '--json', ...options],
    ],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  if (child.stdout === null) throw new Error('no output');
  const ended = once(child, 'exit');
  await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    ended.then(() => {
      throw new Error('the master ended');
    }),
  ]);
  return {
    pid: child.pid ?? 0,
    readyMs: performance.now() - start,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

interface TokenConnection {
  nc: NatsConnection;
  user: string;
}

async function tokenConnection(fleet: BenchFleet, admin: AdminClient): Promise<TokenConnection> {
  const key = generateKeyBundle('user');
  const tokenId = newRequestId().replace(/[^A-Za-z0-9]/g, 'x');
  const { publicKey } = key;
  const { jwt } = await admin.ask('token.create', { publicKey, tokenId, ttl: 3_600, uses: PEELS });
  const creds = parseCredsData(generateCredsFile(jwt, key.seed), 'a join token');
  const nc = await connect({
    ...creds.natsOption(),
    servers: fleet.url,
    inboxPrefix: joinInboxPrefix(tokenId),
    ...CHEAP,
  });
  return { nc, user: joinName(tokenId) };
}

/** What a peel gets when it enrols. */
interface Enrolled {
  jwt: string;
  recovery: HeldRecovery | undefined;
}

/** As a host does it: a challenge, and its answer. */
async function enroll({ nc, user }: TokenConnection, peelId: string, key: KeyBundle): Promise<Enrolled> {
  const { publicKey } = key;
  const asked = await requestMaster(nc, enrollSubject(user, 'challenge'), encodeJson({ peelId, publicKey }));
  const { challenge } = parseAnswer('challenge', asked.data);
  const signature = Buffer.from(key.sign(joinProof({ user, peelId, publicKey, challenge }))).toString(
    'base64url',
  );
  const request = { requestId: newRequestId(), peelId, publicKey, challenge, signature };
  const answer = parseAnswer(
    'join',
    (await requestMaster(nc, enrollSubject(user, 'join'), encodeJson(request))).data,
  );
  if (answer.state !== 'accepted') throw new Error(`${peelId} is ${answer.state}`);
  return { jwt: answer.jwt, recovery: heldRecovery(answer.recovery) };
}

/** Does something `count` times, `atOnce` at a time. @returns milliseconds */
export async function timed(
  count: number,
  act: (i: number) => Promise<void>,
  atOnce = AT_ONCE,
): Promise<number> {
  const start = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return performance.now() - start;
}

function report(what: string, count: number, ms: number, cpu: number): Throughput {
  const perSecond = (count * 1_000) / ms;
  const cpuMs = (cpu * 1_000) / count;
  console.log(
    `  ${what.padEnd(31)}  ${perSecond.toFixed(0).padStart(6)} a second   the masters' CPU: ${cpuMs.toFixed(2)} ms each`,
  );
  return { perSecond, cpuMs };
}

/** Kilobytes. */
export async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? NaN);
}

/** Seconds of processor time that a process has used. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
