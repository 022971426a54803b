// Issues challenges, and redeems each once.
import type { KV } from '@nats-io/kv';
import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { FleetError } from '../../errors.js';
import { encodeJson, parseJson } from '../../protocol/messages.js';
import { compareAndSet } from '../store/compare-and-set.js';
import { withStoreRetries } from '../store/store-retries.js';

/** The peel and key that a challenge is for. */
export interface ChallengeFor {
  /** The name of the join token's user. */
  user: string;
  peelId: string;
  publicKey: string;
}

const storedSchema = v.object({
  user: v.string(),
  peelId: v.string(),
  publicKey: v.string(),
  /** The request that used it. */
  usedBy: v.optional(v.string()),
});

/** A challenge as the bucket has it. */
interface Issued extends v.InferOutput<typeof storedSchema> {
  revision: number;
}

const CHALLENGE_BYTES = 32;

/** The number of own challenges to remember: most are redeemed within milliseconds. */
const MAX_REMEMBERED = 4_096;

/** Challenges of all masters, in a bucket that deletes them when they expire. */
export class Challenges {
  readonly #bucket: Pick<KV, 'get' | 'put'>;
  /** Those that this master issued last: redeeming one needs no read. */
  readonly #issued = new Map<string, Issued>();

  constructor(bucket: Pick<KV, 'get' | 'put'>) {
    this.#bucket = bucket;
  }

  /** Issues a random challenge. @throws FleetError `ERR_FLEET_STORE` */
  async issue({ user, peelId, publicKey }: ChallengeFor): Promise<string> {
    const challenge = randomBytes(CHALLENGE_BYTES).toString('base64url');
    const to = { user, peelId, publicKey };
    const data = encodeJson(to);
    const revision = await withStoreRetries(() => this.#bucket.put(keyOf(challenge), data));
    this.#issued.set(challenge, { ...to, revision });
    const [oldest] = this.#issued.keys();
    if (this.#issued.size > MAX_REMEMBERED && oldest !== undefined) this.#issued.delete(oldest);
    return challenge;
  }

  /**
   * Redeems a challenge once: if two masters get its answer concurrently, one of them accepts it. A retry of the same
   * request is accepted.
   *
   * @throws FleetError `ERR_FLEET_CHALLENGE`, `ERR_FLEET_STORE`
   */
  async redeem(challenge: string, to: ChallengeFor, requestId: string): Promise<void> {
    const own = this.#issued.get(challenge);
    this.#issued.delete(challenge);
    // a write at the revision of its issue fails if the challenge was used meanwhile, or has expired
    if (own !== undefined && (await this.#write(challenge, own, to, requestId))) return;
    const stored = await this.#read(challenge);
    if (stored.usedBy === requestId) {
      checkCaller(stored, to);
      return;
    }
    if (!(await this.#write(challenge, stored, to, requestId))) throw refused('it is being used');
  }

  /** @returns false if it changed meanwhile */
  async #write(challenge: string, issued: Issued, to: ChallengeFor, requestId: string): Promise<boolean> {
    checkCaller(issued, to);
    if (issued.usedBy !== undefined) throw refused('it was already used');
    const { user, peelId, publicKey } = to;
    const data = encodeJson({ user, peelId, publicKey, usedBy: requestId });
    return (await compareAndSet(this.#bucket, keyOf(challenge), data, issued.revision)) !== undefined;
  }

  async #read(challenge: string): Promise<Issued> {
    const stored = await withStoreRetries(() => this.#bucket.get(keyOf(challenge)));
    const parsed = v.safeParse(storedSchema, stored === null ? undefined : parseJson(stored.string()));
    if (stored === null || !parsed.success) throw refused('it was never issued, or has expired');
    return { ...parsed.output, revision: stored.revision };
  }
}

function checkCaller(issued: ChallengeFor, { user, peelId, publicKey }: ChallengeFor): void {
  if (issued.user === user && issued.peelId === peelId && issued.publicKey === publicKey) return;
  throw refused('it was issued to a different caller');
}

function keyOf(challenge: string): string {
  return `challenge.${challenge}`;
}

function refused(why: string): FleetError {
  return new FleetError('ERR_FLEET_CHALLENGE', `the challenge cannot be used: ${why}; request a new one`);
}
