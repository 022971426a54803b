// The join tokens of a fleet, for an admin program.
import { randomBytes } from 'node:crypto';
import { generateCredsFile } from '../creds/generate.js';
import { FleetError } from '../errors.js';
import { generateKeyBundle } from '../nkeys/key-bundle.js';
import type { AdminClient } from '../protocol/admin-client.js';
import { newKeyProof } from '../protocol/proofs.js';
import { signProof } from '../protocol/prove-key.js';
import type { JoinToken } from '../protocol/records/join-token.js';
import { checkFleetOptions } from './option-names.js';
import { checkedLabels, requireStored } from './checked-labels.js';
import type { Labels } from '../protocol/records/labels.js';
import type { Abortable } from './abortable.js';
import type { WaitingOptions } from './waiting-options.js';

/** The options of {@link FleetTokens.create}. */
export interface CreateTokenOptions extends WaitingOptions {
  /** Lifetime in seconds; 900 by default, at most a year. */
  ttlSeconds?: number | undefined;
  /** Maximum number of peels that may join with it; 1 by default. */
  uses?: number | undefined;
  /** Only peels whose ID matches, such as `web-*`. */
  ids?: string | undefined;
  /** Labels for the peels that join with it. */
  labels?: Labels | undefined;
}

/** A new join token. */
export interface CreatedToken {
  /** The token's record. */
  token: JoinToken;
  /** The token's `.creds` file: a secret. Write it with mode 0600 only, and overwrite it with zeros afterwards. */
  creds: Uint8Array;
  /** Wipes `creds`. */
  [Symbol.dispose](): void;
}

/**
 * Join tokens: credentials that can only request to join.
 *
 * @example
 * import { connectFleet } from 'zester';
 *
 * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
 * const { token } = await fleet.tokens.create({ ttlSeconds: 3_600, ids: 'web-*' });
 * console.log((await fleet.tokens.list()).some(({ id }) => id === token.id)); // true
 * await fleet.tokens.remove(token.id);
 * await fleet.close();
 */
export class FleetTokens {
  readonly #client: AdminClient;
  readonly #abortable: Abortable;

  /** @internal */
  constructor(client: AdminClient, abortable: Abortable) {
    this.#client = client;
    this.#abortable = abortable;
  }

  /**
   * Creates a join token. Its key is generated here: the seed exists only in the result.
   *
   * @throws FleetError `ERR_FLEET_REQUEST`, `ERR_FLEET_LABEL`, `ERR_FLEET_NO_MASTER`, `ERR_FLEET_TIMEOUT`, `ERR_FLEET_DENIED`
   * @example
   * import { writeFile } from 'node:fs/promises';
   * import { connectFleet } from 'zester';
   *
   * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
   * const { creds } = await fleet.tokens.create({ ttlSeconds: 3_600, uses: 10, ids: 'web-*' });
   * await writeFile('rack-7.creds', creds, { mode: 0o600 });
   * creds.fill(0);
   * await fleet.close();
   */
  async create(options: CreateTokenOptions = {}): Promise<CreatedToken> {
    checkFleetOptions('tokens.create', options);
    const { ttlSeconds: ttl = 900, uses = 1, ids } = options;
    const labels = options.labels && checkedLabels(options.labels);
    const key = generateKeyBundle('user');
    const seed = key.seed;
    try {
      const tokenId = newTokenId();
      const { publicKey } = key;
      const proof = newKeyProof({ request: 'token.create', id: tokenId, publicKey });
      const request = {
        tokenId,
        publicKey,
        signature: signProof(key, proof),
        ttl,
        uses,
        ...(ids !== undefined && { ids }),
        ...(labels !== undefined && { labels }),
      };
      const { jwt, token } = await this.#abortable
        .with(options.signal)
        .run(() => this.#client.ask('token.create', request));
      // it becomes part of a file name
      if (token.id !== tokenId)
        throw new FleetError(
          'ERR_FLEET_ANSWER',
          `the master returned another join token than ${tokenId}, which was created: remove that one`,
        );
      requireStored(labels, token.labels, `the join token ${token.id} was created, but is not returned`);
      const creds = generateCredsFile(jwt, seed);
      return { token, creds, [Symbol.dispose]: () => void creds.fill(0) };
    } finally {
      seed.fill(0);
      key.wipe();
    }
  }

  /**
   * All join tokens, including used and expired ones. Of more than some thousands, the newest that fit a message, without the
   * peels that used them.
   *
   * @throws FleetError
   */
  async list(options: WaitingOptions = {}): Promise<JoinToken[]> {
    checkFleetOptions('tokens.list', options);
    const { tokens } = await this.#abortable
      .with(options.signal)
      .run(() => this.#client.ask('token.list', {}));
    return tokens;
  }

  /**
   * Removes a join token: no host can join with it any longer, and its connections are cut.
   *
   * @throws FleetError `ERR_FLEET_TOKEN_UNKNOWN` when there is no token with this ID; `ERR_FLEET_UNCONFIRMED` when a
   *   server has not confirmed in time
   */
  async remove(tokenId: string, options: WaitingOptions = {}): Promise<JoinToken> {
    checkFleetOptions('tokens.remove', options);
    const { token } = await this.#abortable
      .with(options.signal)
      .run(() => this.#client.ask('token.remove', { tokenId }));
    return token;
  }
}

/** Sixteen letters and digits: not a secret, but unique. */
function newTokenId(): string {
  return randomBytes(32)
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, 16);
}
