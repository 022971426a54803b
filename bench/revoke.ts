import { connect } from '@nats-io/transport-node';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { natsOptionsForPeel } from '../src/connection/options.js';
import { mergeRevocations } from '../src/jwt/revocations.js';
import { changeAccount, withOpenHome } from '../src/account/change-account.js';
import { requireComplete } from '../src/account/push-account.js';
import { revoke } from '../src/account/revoke.js';
import { startNatsServer } from '../src/nats-server/run.js';
import { writeServerConfiguration } from '../src/nats-server/write-configuration.js';
import { generateKeyBundle } from '../src/nkeys/key-bundle.js';
import { createTrustDomain } from '../src/trust/create/create.js';
import type { TrustDomain } from '../src/trust/domain.js';

const REVOCATIONS = 50;
/** Revocations that are in the account JWT before. */
const SIZES = [0, 1_000, 10_000] as const;

/**
 * From the command's start in the library to the cut of the peel's live connection, with more and more revocations in the
 * account JWT: home read and locked, server asked, JWT signed, pushed, in force. The bar is the issue's: within a second.
 */
export async function revokeBench(): Promise<boolean> {
  const dir = await mkdtemp(join(tmpdir(), 'zester-bench-'));
  try {
    const domain = await createTrustDomain(join(dir, 'home'), { now: () => Date.now() - 60_000 });
    const configPath = await writeServerConfiguration(domain, { port: -1 });
    const server = await startNatsServer({ configPath });
    try {
      console.log(`revoke: ${REVOCATIONS} live connections cut one after the other, times in ms`);
      console.log('  revocations before   cut p50   cut p99   confirmed p50   confirmed p99   account JWT');
      let met = true;
      for (const size of SIZES) {
        await fill(domain, server.url, size);
        const { cut, confirmed, bytes } = await measureRevocations(domain, server.url, dir);
        const cells = [at(cut, 0.5), at(cut, 0.99), at(confirmed, 0.5), at(confirmed, 0.99)].map((ms) =>
          ms.toFixed(1),
        );
        console.log(
          `  ${String(size).padStart(18)}   ${cells[0]?.padStart(7)}   ${cells[1]?.padStart(7)}   ` +
            `${cells[2]?.padStart(13)}   ${cells[3]?.padStart(13)}   ${String(Math.round(bytes / 1024)).padStart(7)} KiB`,
        );
        met &&= at(cut, 0.99) < 1_000;
      }
      console.log(`  bar: each cut within 1,000 ms   ${met ? 'met' : 'NOT MET'}`);
      return met;
    } finally {
      await server.stop();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function fill(domain: TrustDomain, url: string, size: number): Promise<void> {
  const more = Object.fromEntries(
    Array.from({ length: size }, () => [generateKeyBundle('user').publicKey, 1_700_000_000]),
  );
  await withOpenHome(domain.home, 'bench', { servers: [url] }, async (open) => {
    const { report } = await changeAccount(open, (claims) =>
      mergeRevocations({ ...claims, nats: { ...claims.nats, revocations: {} } }, more),
    );
    if (report !== undefined) requireComplete(report, 'the revocations of the bench');
  });
}

async function measureRevocations(
  domain: TrustDomain,
  url: string,
  dir: string,
): Promise<{ cut: number[]; confirmed: number[]; bytes: number }> {
  const cut: number[] = [];
  const confirmed: number[] = [];
  let bytes = 0;
  for (let i = 0; i < REVOCATIONS; i++) {
    const peelId = `web-${i}`;
    const path = join(dir, `${peelId}.creds`);
    const { user } = await domain.issuePeel(peelId, path);
    const nc = await connect({ ...natsOptionsForPeel(path, peelId), servers: url, reconnect: false });
    const start = performance.now();
    const closed = nc.closed().then(() => cut.push(performance.now() - start));
    const { report } = await revoke(domain.home, { publicKey: user.publicKey }, { servers: [url] });
    confirmed.push(performance.now() - start);
    if (report !== undefined) requireComplete(report, 'a revocation of the bench');
    await closed;
    bytes = (await stat(domain.paths.accountJwt)).size;
  }
  return { cut, confirmed, bytes };
}

function at(list: readonly number[], share: number): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}
