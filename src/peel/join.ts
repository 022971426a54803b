// joinFleet: joins a fleet with a join token.
import { checkJoinNames } from './option-names.js';
import { expiryTime } from '../jwt/expiry.js';
import type { NatsConnection } from '@nats-io/transport-node';
import { firstConnectError } from '../connection/connect-failure.js';
import { planConnection, type ClientTls, type TlsOptions } from '../connection/connect-plan.js';
import type { GivenClientOptions } from '../connection/connect.js';
import { loadGiven } from '../connection/credentials.js';
import { givenUserCredentials, type UserCredentials } from '../creds/credentials-option.js';
import { omitUndefined } from '../options/renamed-options.js';
import { dial } from '../connection/dial.js';
import { checkClientOptions, checkNumbers, DURATION_MS } from '../connection/check-options.js';
import { PERSISTENT_OPTIONS } from '../connection/options.js';
import type { CredsFile } from '../creds/creds-file.js';
import { writeCredsFile } from '../creds/generate.js';
import { FleetError } from '../errors.js';
import { requestMaster, newRequestId } from '../protocol/admin-client.js';
import { fingerprint } from '../protocol/fingerprint.js';
import { encodeJson, type AnswerOf, type RequestOf } from '../protocol/messages.js';
import { joinProof } from '../protocol/proofs.js';
import { enrollSubject } from '../permissions/names.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { validatePeelId } from '../permissions/peel-id.js';
import { joinInboxPrefix, tokenIdOfName } from '../permissions/roles.js';
import { askMaster, mastersOf } from './ask-master.js';
import { signProof } from '../protocol/prove-key.js';
import { checkGivenJwt } from './verify-master.js';
import { FleetClock } from './clock.js';
import { pathOf } from '../files/path-of.js';
import { guarded, guardedNumber, warnOfCallback } from '../async/guarded.js';
import { sleep } from '../async/sleep.js';
import { isTransient } from './is-transient.js';
import { PendingKey } from './pending-key.js';
import { writeRecoveryFile } from './recovery-files.js';
import { omit } from './omit.js';
import {
  DIAL_TIMEOUT_MS,
  JOIN_ANSWER_TIMEOUT_MS,
  JOIN_FIRST_RETRY_MS,
  JOIN_MAX_RETRY_MS,
  JOIN_TIMEOUT_MS,
  RECONNECT_WAIT_MS,
} from '../timing.js';

/** Events of {@link joinFleet}. */
export type JoinEvent =
  /** The key exists; people compare this fingerprint. `resumed`: an earlier attempt made it. */
  | { type: 'key'; publicKey: string; fingerprint: string; resumed: boolean }
  /** The request waits for an admin's decision: `zester peel accept <id>`. */
  | { type: 'pending'; fingerprint: string }
  /** An attempt failed, and is retried. */
  | { type: 'retrying'; error: Error; retryInMs: number }
  /** This host's clock is off: `offsetMs` is the correction. */
  | { type: 'clockOff'; offsetMs: number };

/** The options of {@link joinFleet}. It also takes other options of the client's `connect()`, such as `tls`. */
export interface JoinOptions extends Omit<GivenClientOptions, 'tls' | 'servers'> {
  /** One URL or several; a string with commas is a list. One `tls://` URL requires TLS for all. */
  servers?: string | readonly string[] | undefined;
  /** For TLS: `caFile`, `certFile` and `keyFile`, paths or `file:` URLs. Other options are those of the client. */
  tls?: TlsOptions | null | undefined;
  /** Refuse URLs without `tls://`, except those of this machine; false by default. */
  requireTls?: boolean | undefined;
  /**
   * The join token, credentials that can only request to join: the path or the `file:` URL of its `.creds` file, parsed
   * credentials, or a provider such as `fromEnv('JOIN_TOKEN')`.
   */
  token: UserCredentials;
  /** The ID to join as: one NATS token. */
  peelId: string;
  /**
   * Where to write the credentials: a path or a `file:` URL. Until the peel is accepted, the key is at `<out>.pending`.
   */
  out: string | URL;
  /** How long to wait for a server, a master and an admin's decision, in milliseconds; 10 minutes by default. */
  waitMs?: number | undefined;
  /** Aborts the wait; the key stays, and a later call resumes with it. */
  signal?: AbortSignal | undefined;
  /** Called for each event, such as the fingerprint to compare. */
  onEvent?: ((event: JoinEvent) => void) | undefined;
  /** The clock, in milliseconds; `Date.now` by default. */
  now?: (() => number) | undefined;
}

/** The same options, with a string path, and without the token. */
type PlainOptions = Omit<JoinOptions, 'token'> & { out: string };

/** The result of joining. */
export interface JoinResult {
  peelId: string;
  /** The public key (`U…`) of the new credential. */
  publicKey: string;
  /** The fingerprint of the key, as `zester peel list --state pending` shows it. */
  fingerprint: string;
  /** The `.creds` file. */
  path: string;
  /** Milliseconds since 1970; undefined: never. */
  expiresAt: number | undefined;
}

/** Refusals after which this key is useless: the next attempt makes a new one. */
const KEY_IS_SPENT: ReadonlySet<string> = new Set([
  'ERR_FLEET_REJECTED',
  'ERR_FLEET_REVOKED',
  'ERR_FLEET_KEY_TAKEN',
]);

/**
 * Joins a fleet with a join token: makes a key on this host, proves its possession to a master, and writes the issued
 * credentials. The seed never leaves this host. If an admin must accept the host first, it waits.
 *
 * @throws PeelIdError, CredsError, FileError; FleetError with a master's refusal, or `ERR_FLEET_PENDING` when no admin
 *   decides in time: the key is kept, and the next call resumes with it; ConnectError
 * @example
 * import { joinFleet } from 'zester/peel';
 *
 * const { path, fingerprint } = await joinFleet({
 *   servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
 *   token: 'join.creds', // as "zester join-token create" made it
 *   peelId: 'web-07',
 *   out: 'web-07.creds',
 *   onEvent: (event) => console.log(event.type), // key
 * });
 * console.log(path, fingerprint); // web-07.creds …
 */
export async function joinFleet(given: JoinOptions): Promise<JoinResult> {
  checkJoinNames(given);
  const { onEvent, now, reconnectDelayHandler: delay } = given;
  const givenToken = givenUserCredentials({ credentials: given.token }, { names: ['token', 'token'] });
  const options = {
    ...omit(given, 'token'),
    out: pathOf(given.out),
    ...(onEvent && { onEvent: guarded(onEvent, warnOfCallback('onEvent')) }),
    ...(delay && {
      reconnectDelayHandler: guardedNumber(
        delay,
        () => RECONNECT_WAIT_MS,
        warnOfCallback('reconnectDelayHandler'),
      ),
    }),
  };
  const { peelId, out } = options;
  validatePeelId(peelId);
  checkClientOptions(options);
  checkNumbers(options, { waitMs: { ...DURATION_MS, most: Infinity } });
  planConnection<ClientTls>(options);
  const token = await loadGiven(givenToken);
  const isOurs = givenToken.kind === 'file' && givenToken.loaded === undefined;
  const tokenId = tokenIdOfName(token.claims.name ?? '');
  if (tokenId === undefined) {
    throw new FleetError(
      'ERR_FLEET_TOKEN_UNKNOWN',
      `${token.path} is no join token, but the credentials of "${token.claims.name ?? ''}": "zester join-token create" makes one`,
    );
  }
  const clock = new FleetClock(now && guardedNumber(now, Date.now, warnOfCallback('now')));
  clock.isAtLeast(token.claims.iat * 1000);
  if (token.isExpired(() => clock.lenient())) throw tokenExpired(token);
  const pending = await PendingKey.open(out);
  const { publicKey } = pending.key;
  const { resumed } = pending;
  options.onEvent?.({ type: 'key', publicKey, fingerprint: fingerprint(publicKey), resumed });
  const joining = new Joining(options, token, tokenId, pending.key, clock);
  try {
    const result = await joining.run();
    await pending.remove();
    return result;
  } catch (error) {
    if (error instanceof FleetError && KEY_IS_SPENT.has(error.code)) await pending.remove();
    throw error;
  } finally {
    if (isOurs) token.wipe();
    pending.key.wipe();
  }
}

/** One call of {@link joinFleet}. */
class Joining {
  readonly #options: PlainOptions;
  readonly #token: CredsFile;
  readonly #tokenId: string;
  /** The name of the token's user, which is part of its request subjects. */
  readonly #user: string;
  readonly #key: KeyBundle;
  readonly #clock: FleetClock;
  readonly #requestId = newRequestId();
  readonly #deadline: number;
  #isPendingReported = false;

  constructor(options: PlainOptions, token: CredsFile, tokenId: string, key: KeyBundle, clock: FleetClock) {
    this.#options = options;
    this.#token = token;
    this.#tokenId = tokenId;
    this.#user = token.claims.name ?? '';
    this.#key = key;
    this.#clock = clock;
    this.#deadline = performance.now() + (options.waitMs ?? JOIN_TIMEOUT_MS);
  }

  async run(): Promise<JoinResult> {
    const nc = await this.#retry(() => this.#connect());
    try {
      return await this.#retry(() => this.#join(nc));
    } finally {
      await nc.close();
    }
  }

  /** Retries until it succeeds, is refused permanently, or time is up. */
  async #retry<T>(act: () => Promise<T>): Promise<T> {
    const { signal, onEvent } = this.#options;
    for (let wait = JOIN_FIRST_RETRY_MS; ; wait = Math.min(JOIN_MAX_RETRY_MS, wait * 1.5)) {
      signal?.throwIfAborted();
      try {
        return await act();
      } catch (error) {
        const left = this.#deadline - performance.now();
        if (!isTransient(error) || left <= 0) throw error;
        const retryInMs = Math.min(left, Math.round(wait * (1 - Math.random() / 4)));
        const waits = error instanceof FleetError && error.code === 'ERR_FLEET_PENDING';
        if (!waits) onEvent?.({ type: 'retrying', error: error as Error, retryInMs });
        await sleep(retryInMs, signal);
      }
    }
  }

  async #connect(): Promise<NatsConnection> {
    const client = omitUndefined(omit(this.#options, 'peelId', 'out', 'waitMs', 'signal', 'onEvent', 'now'));
    try {
      return await dial({
        ...PERSISTENT_OPTIONS,
        name: 'zester-join',
        ...client,
        inboxPrefix: joinInboxPrefix(this.#tokenId),
        ...this.#token.natsOption(),
        // a first refusal is final; later ones, for example from a restarting server, are retried
        waitOnFirstConnect: false,
      });
    } catch (cause) {
      const servers = planConnection<ClientTls>(client).urls.join(', ');
      const error = firstConnectError(cause, servers, client.timeout ?? DIAL_TIMEOUT_MS, {
        what: 'the join token',
        why: 'it may have expired, been removed, or belong to another operator',
      });
      const refused = error.code === 'ERR_CONNECT_REFUSED';
      if (refused && this.#token.isExpired(() => this.#clock.local())) throw tokenExpired(this.#token);
      throw error;
    }
  }

  async #join(nc: NatsConnection): Promise<JoinResult> {
    const { peelId, out, onEvent } = this.#options;
    const { publicKey } = this.#key;
    const challengeSubject = enrollSubject(this.#user, 'challenge');
    const { challenge } = await this.#ask(nc, 'challenge', challengeSubject, { peelId, publicKey });
    const proof = joinProof({ user: this.#user, peelId, publicKey, challenge });
    const answer = await this.#ask(nc, 'join', this.#requestId, {
      requestId: this.#requestId,
      peelId,
      publicKey,
      challenge,
      signature: signProof(this.#key, proof),
    });
    if (answer.state === 'pending') {
      if (!this.#isPendingReported) onEvent?.({ type: 'pending', fingerprint: fingerprint(publicKey) });
      this.#isPendingReported = true;
      throw new FleetError(
        'ERR_FLEET_PENDING',
        `nobody has accepted the peel "${peelId}" yet (${fingerprint(publicKey)}): accept it with "zester peel accept ` +
          `${peelId}", and join again; the key is kept in ${out}.pending`,
        { peelId },
      );
    }
    const masters = mastersOf(this.#token, this.#clock);
    const claims = checkGivenJwt(answer.jwt, { peelId, publicKey, notIssuedBefore: 0 }, masters);
    const seed = this.#key.seed;
    try {
      await writeCredsFile(out, answer.jwt, seed);
      if (answer.recovery !== undefined) await writeRecoveryFile(out, answer.recovery);
    } finally {
      seed.fill(0);
    }
    return {
      peelId,
      publicKey,
      fingerprint: fingerprint(publicKey),
      path: out,
      expiresAt: expiryTime(claims),
    };
  }

  async #ask<N extends 'challenge' | 'join'>(
    nc: NatsConnection,
    name: N,
    context: string,
    request: RequestOf<N>,
  ): Promise<AnswerOf<N>> {
    const subject = enrollSubject(this.#user, name);
    const question = { name, context, creds: this.#token, clock: this.#clock };
    const answer = await askMaster(question, () =>
      requestMaster(nc, subject, encodeJson(request), { timeoutMs: JOIN_ANSWER_TIMEOUT_MS }),
    );
    const offsetMs = this.#clock.offsetToReport();
    if (offsetMs !== undefined) this.#options.onEvent?.({ type: 'clockOff', offsetMs });
    return answer;
  }
}

function tokenExpired(token: CredsFile): FleetError {
  return new FleetError(
    'ERR_FLEET_TOKEN_EXPIRED',
    `the join token ${token.path} has expired: ask for a new one ("zester join-token create")`,
  );
}
