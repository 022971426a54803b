// Measures how long renewals and revocations wait while something else goes on.
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { setTimeout as delay } from 'node:timers/promises';
import { generateCredsFile } from '../../src/creds/generate.js';
import { parseCredsData } from '../../src/creds/parse.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { authSubject, peelInboxPrefix } from '../../src/permissions/names.js';
import { requestWithResend } from '../../src/protocol/request-with-resend.js';
import { newRequestId, type AdminClient } from '../../src/protocol/admin-client.js';
import { encodeJson, parseAnswer } from '../../src/protocol/messages.js';
import { ASK_TIMEOUT_MS } from '../../src/timing.js';

/** Peels that renew all the time. */
export const RENEWING_PEELS = 5;
const RENEWAL_INTERVAL_MS = 1_000;
/**
 * In addition to one at the beginning of each wave. At a revocation the servers verify the JWT of every connected peel
 * twice, which is half a minute of CPU for 48,000 (docs/nats-facts.md, 40): more often, this would be the load.
 */
const REVOCATION_INTERVAL_MS = 60_000;
const RETRY_MS = 100;

/** The waits of one kind, those that last included. */
class Waits {
  #longest = 0;
  #count = 0;
  readonly #begun = new Set<number>();

  /** Retries until it succeeds; the wait covers all attempts. */
  async measure(signal: AbortSignal, act: () => Promise<unknown>): Promise<void> {
    const start = performance.now();
    this.#begun.add(start);
    try {
      for (;;) {
        const isDone = await act().then(
          () => true,
          () => false,
        );
        if (signal.aborted) return;
        if (isDone) break;
        await delay(RETRY_MS);
      }
      this.#longest = Math.max(this.#longest, performance.now() - start);
      this.#count += 1;
    } finally {
      this.#begun.delete(start);
    }
  }

  /** Since the last time that this was called. */
  take(): { longestMs: number; count: number } {
    const now = performance.now();
    const longestMs = Math.max(this.#longest, ...[...this.#begun].map((start) => now - start));
    const count = this.#count;
    this.#longest = 0;
    this.#count = 0;
    return { longestMs, count };
  }
}

/** Renews peels and revokes others, all the time, beside a storm. */
export class BesideTheStorm {
  readonly renewals = new Waits();
  readonly revocations = new Waits();
  readonly #admin: AdminClient;
  readonly #stop = new AbortController();
  readonly #peels: { nc: NatsConnection; peelId: string; publicKey: string }[] = [];
  #running: Promise<unknown>[] = [];
  #revoked = 0;
  /** Peels to be revoked. */
  readonly #added: string[] = [];

  constructor(admin: AdminClient) {
    this.#admin = admin;
  }

  /** Makes the peels, and renews from now on. */
  async start(servers: readonly string[]): Promise<void> {
    for (let i = 0; i < RENEWING_PEELS; i++) {
      const peelId = `renewing-${i}`;
      const key = generateKeyBundle('user');
      const { publicKey } = key;
      const { jwt } = await this.#admin.ask('peel.add', { requestId: newRequestId(), peelId, publicKey });
      const nc = await connect({
        ...parseCredsData(generateCredsFile(jwt, key.seed), peelId).natsOption(),
        servers: [...servers],
        inboxPrefix: peelInboxPrefix(peelId),
        ...{ maxReconnectAttempts: -1, reconnectTimeWait: 100, reconnectJitter: 0 },
      });
      this.#peels.push({ nc, peelId, publicKey });
    }
    this.#running = [...this.#peels.map((_, i) => this.#renew(i)), this.#revoke()];
  }

  /** Adds the peel that {@link revokeOne} revokes next, so that only the revocation is measured. */
  async addOne(): Promise<void> {
    const peelId = `revoked-${(this.#revoked += 1)}`;
    const { publicKey } = generateKeyBundle('user');
    const { signal } = this.#stop;
    const requestId = newRequestId();
    while (!signal.aborted) {
      const isThere = await this.#admin.ask('peel.add', { requestId, peelId, publicKey }).then(
        () => true,
        () => false,
      );
      if (isThere) break;
      await delay(RETRY_MS);
    }
    this.#added.push(peelId);
  }

  /** Revokes one peel that is not connected. */
  async revokeOne(): Promise<void> {
    if (this.#added.length === 0) await this.addOne();
    const peelId = this.#added.pop() ?? '';
    await this.revocations.measure(this.#stop.signal, () => this.#admin.ask('peel.revoke', { peelId }));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#peels.map(({ nc }) => nc.close()));
    // a request on a connection that was closed may never end
    await Promise.race([Promise.allSettled(this.#running), delay(1_000)]);
  }

  async #renew(i: number): Promise<void> {
    const { signal } = this.#stop;
    const peel = this.#peels[i];
    if (peel === undefined) return;
    const { nc, peelId, publicKey } = peel;
    await pause((RENEWAL_INTERVAL_MS * i) / RENEWING_PEELS, signal);
    while (!signal.aborted) {
      await this.renewals.measure(signal, async () => {
        const data = encodeJson({ requestId: newRequestId(), publicKey });
        const options = { inboxPrefix: peelInboxPrefix(peelId), timeoutMs: ASK_TIMEOUT_MS };
        parseAnswer('renew', (await requestWithResend(nc, authSubject(peelId, 'renew'), data, options)).data);
      });
      await pause(RENEWAL_INTERVAL_MS, signal);
    }
  }

  async #revoke(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await pause(REVOCATION_INTERVAL_MS, signal);
      if (!signal.aborted) await this.revokeOne();
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
