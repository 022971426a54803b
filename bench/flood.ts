import { connect, type NatsConnection } from '@nats-io/transport-node';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { generateCredsFile } from '../src/creds/generate.js';
import { parseCredsData } from '../src/creds/parse.js';
import { requestWithResend } from '../src/protocol/request-with-resend.js';
import { newRequestId, type AdminClient } from '../src/protocol/admin-client.js';
import { ASK_TIMEOUT_MS } from '../src/timing.js';
import { encodeJson, parseAnswer } from '../src/protocol/messages.js';
import { addAdmin } from '../src/admins/add-admin.js';
import { adminUserName } from '../src/permissions/admin-names.js';
import { adminSubject, authSubject, enrollSubject } from '../src/permissions/names.js';
import { generateKeyBundle } from '../src/nkeys/key-bundle.js';
import { peelInboxPrefix } from '../src/permissions/names.js';
import { joinName } from '../src/permissions/roles.js';
import { writeSignedRequests } from '../test/security/signed-requests.js';
import { cpuSeconds, memoryOf, startMaster, withFleet, type BenchFleet } from './fleet.js';
import { duration } from './report.js';

const PEELS = 5;
const SECONDS = 15;
/** Between two renewals of one peel, in milliseconds. */
const EVERY_MS = 1_000;

interface Flood {
  what: string;
  by: 'peel' | 'token' | 'viewer';
  /** Bytes of a request, which nobody has signed; `signed`: requests to list, show and audit, which masters accept. */
  size: number | 'signed';
}

const FLOODS: readonly Flood[] = [
  { what: 'a peel, 128 KiB each', by: 'peel', size: 128 * 1024 },
  { what: 'a peel, 1 KiB each', by: 'peel', size: 1_024 },
  { what: 'a peel, 2 bytes each', by: 'peel', size: 2 },
  { what: 'a join token, 16 KiB each', by: 'token', size: 16 * 1024 },
  { what: 'a join token, 100 bytes each', by: 'token', size: 100 },
  { what: 'a viewer, 100 bytes each', by: 'viewer', size: 100 },
  { what: 'a viewer, signed requests', by: 'viewer', size: 'signed' },
];

/**
 * How long renewals of other peels take while one peel, join token or viewer floods the masters as fast as the server takes it.
 * The master, the server and the flooder are processes of their own and share the machine's cores.
 */
export async function flood(): Promise<boolean> {
  console.log(
    `flood: ${PEELS} peels renew every ${EVERY_MS / 1_000} s, ${SECONDS} s of each flood, one master`,
  );
  let failed = 0;
  for (const kind of FLOODS) failed += await measure(kind);
  return failed === 0;
}

async function measure({ what, by, size }: Flood): Promise<number> {
  let failed = 0;
  await withFleet(async (fleet) => {
    const master = await startMaster(fleet, 'auto-trusted');
    const admin = await fleet.admin();
    const peels = await Promise.all(
      Array.from({ length: PEELS }, (_, i) => peel(fleet.url, admin, `web-${i}`)),
    );
    const flooder = await flooderOf(fleet, admin, by);
    const sent = size === 'signed' ? await signedRequests(flooder.path) : `${size}`;
    const cpu = cpuSeconds(master.pid);
    let isOver = false;
    const child = spawn(
      process.execPath,
      [
        resolve('test/integration/fleet/flooder.mjs'),
        ...[fleet.url, flooder.path, flooder.subject, sent, `${SECONDS}`],
      ],
      // it floods until its input ends
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    let said = '';
    child.stdout.on('data', (data: Buffer) => (said += data.toString()));
    const over = once(child, 'exit').then(() => (isOver = true));
    const times: number[] = [];
    let memory = 0;
    const errors: string[] = [];
    await Promise.all(
      peels.map(async (renew) => {
        while (!isOver) {
          const start = performance.now();
          try {
            await renew();
            times.push(performance.now() - start);
          } catch (error) {
            failed += 1;
            errors.push((error as Error).message.slice(0, 100));
          }
          memory = Math.max(memory, await memoryOf(master.pid));
          await new Promise((wake) => setTimeout(wake, Math.max(0, EVERY_MS - (performance.now() - start))));
        }
      }),
    );
    await over;
    times.sort((a, b) => a - b);
    const at = (share: number) => duration((times[Math.floor((times.length - 1) * share)] ?? NaN) * 1_000);
    const { sent: requests, cut } = JSON.parse(said) as { sent: number; cut: number };
    console.log(
      `  ${what.padEnd(30)} ${(requests / SECONDS).toFixed(0).padStart(8)} requests/s, cut ${String(cut).padStart(3)}   ` +
        `renewals: ${times.length} done, ${failed} failed; median ${at(0.5)}, slowest ${at(1)}   ` +
        `master: ${(((cpuSeconds(master.pid) - cpu) * 100) / SECONDS).toFixed(0)} % of a core, ${(memory / 1024).toFixed(0)} MiB`,
    );
    for (const error of new Set(errors)) console.log(`    ${error}`);
    await master.stop();
  });
  return failed;
}

/** @returns what renews it */
async function peel(url: string, admin: AdminClient, peelId: string): Promise<() => Promise<void>> {
  const key = generateKeyBundle('user');
  const { publicKey } = key;
  const { jwt } = await admin.ask('peel.add', { requestId: newRequestId(), peelId, publicKey });
  const nc: NatsConnection = await connect({
    ...parseCredsData(generateCredsFile(jwt, key.seed), peelId).natsOption(),
    servers: url,
    inboxPrefix: peelInboxPrefix(peelId),
  });
  return async () => {
    const data = encodeJson({ requestId: newRequestId(), publicKey });
    const options = { inboxPrefix: peelInboxPrefix(peelId), timeoutMs: ASK_TIMEOUT_MS };
    parseAnswer('renew', (await requestWithResend(nc, authSubject(peelId, 'renew'), data, options)).data);
  };
}

/** @returns the file */
async function signedRequests(credsPath: string): Promise<string> {
  const file = `${credsPath}.requests`;
  const reads = [
    ['peel.list', {}],
    ['peel.show', { peelId: 'web-0', events: 200 }],
    ['audit', { kinds: ['k*'], last: 1_000_000 }],
  ] as const;
  await writeSignedRequests(file, credsPath, reads, 10_000);
  return file;
}

async function flooderOf(
  { domain: { home: dir }, url }: BenchFleet,
  admin: AdminClient,
  by: Flood['by'],
): Promise<{ path: string; subject: string }> {
  if (by === 'viewer') {
    const path = join(dir, 'flooder.creds');
    await addAdmin(dir, path, { servers: [url], name: 'flooder', role: 'viewer', expiry: 3_600 });
    return { path, subject: adminSubject('peel.list', adminUserName('flooder')) };
  }
  const key = generateKeyBundle('user');
  const { publicKey } = key;
  const path = join(dir, 'flooder.creds');
  const tokenId = publicKey.slice(1, 13);
  const request = by === 'peel' ? undefined : { publicKey, tokenId, ttl: 3_600, uses: 10 };
  const { jwt } =
    request === undefined
      ? await admin.ask('peel.add', { requestId: newRequestId(), peelId: 'flooder', publicKey })
      : await admin.ask('token.create', request);
  await writeFile(path, generateCredsFile(jwt, key.seed), { mode: 0o600 });
  const subject =
    by === 'peel' ? authSubject('flooder', 'renew') : enrollSubject(joinName(tokenId), 'challenge');
  return { path, subject };
}
