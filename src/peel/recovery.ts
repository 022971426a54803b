// Requests a replacement for an expired credential from a master.
import type { NatsConnection } from '@nats-io/transport-node';
import type { ConnectSettings } from '../connection/connect.js';
import { firstConnectError } from '../connection/connect-failure.js';
import { planConnection } from '../connection/connect-plan.js';
import { dial } from '../connection/dial.js';
import { PERSISTENT_OPTIONS } from '../connection/options.js';
import type { CredentialStore } from '../connection/credentials.js';
import type { CredsFile } from '../creds/creds-file.js';
import { decodeCreds } from '../creds/decode-creds.js';
import { FleetError } from '../errors.js';
import { decodeUserJwt } from '../jwt/decode.js';
import { expiryTime } from '../jwt/expiry.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { enrollSubject } from '../permissions/names.js';
import { recoveriesOf, recoveryInboxPrefix, recoveryName } from '../permissions/recovery.js';
import { requestMaster, newRequestId } from '../protocol/admin-client.js';
import { fingerprint } from '../protocol/fingerprint.js';
import { encodeJson, type AnswerOf, type RequestOf } from '../protocol/messages.js';
import { recoveryProof } from '../protocol/proofs.js';
import { DIAL_TIMEOUT_MS, RECOVERY_ANSWER_TIMEOUT_MS } from '../timing.js';
import { askMaster, mastersOf } from './ask-master.js';
import type { FleetClock } from './clock.js';
import { credsOfJwt } from './creds-of-jwt.js';
import { signProof, signProofWith } from '../protocol/prove-key.js';
import type { RecoveryFiles } from './recovery-files.js';
import { checkGivenJwt } from './verify-master.js';

/** The dependencies of {@link Recovery}. */
export interface RecoveryOptions {
  peelId: string;
  /** The connect options. */
  connection: Pick<ConnectSettings, 'servers' | 'tls' | 'requireTls' | 'timeout'>;
  /** Stores the new credentials together with the recovery credential: see `withRecovery`. */
  store: CredentialStore;
  files: RecoveryFiles;
  clock: FleetClock;
  /** The current credentials at their source. */
  reload: () => Promise<CredsFile>;
}

/** The result of an attempt. */
export type Recovered =
  /** `notWritten`: why the new credentials are in memory only. */
  | { is: 'recovered'; creds: CredsFile; notWritten?: unknown }
  | { is: 'replaced' }
  | { is: 'pending'; fingerprint: string }
  | { is: 'notExpired' }
  | { is: 'unavailable' };

/** Recovers after a peel's credential has expired. */
export class Recovery {
  readonly #options: RecoveryOptions;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /**
   * Makes one attempt. A master decides whether the credential has expired, not this machine's clock.
   *
   * @throws FleetError with a master's refusal, `final` if retrying is useless; ConnectError, FileError
   */
  async attempt(current: CredsFile): Promise<Recovered> {
    const { files, reload } = this.#options;
    const { publicKey } = current;
    const credential = await files.credentialFor(publicKey);
    if (credential === undefined) return { is: 'unavailable' };
    const newKey = await files.newKeyFor(publicKey);
    try {
      // only now: once the kept key is gone, the process that used it has already replaced the credentials
      const there = await reload();
      if (isReplaced(current, there)) {
        // keep it with a newer JWT for the same key: an earlier request with it may still reach a master
        if (there.publicKey !== publicKey) await files.forgetKey();
        return { is: 'replaced' };
      }
      return await this.#ask(current, credential, newKey);
    } catch (error) {
      if (error instanceof FleetError && error.final) await files.forgetKey();
      throw error;
    } finally {
      newKey.wipe();
    }
  }

  async #ask(current: CredsFile, credential: string, newKey: KeyBundle): Promise<Recovered> {
    const { files, store, clock } = this.#options;
    const answer = await this.#request(current, credential, newKey);
    if (answer.state === 'pending') return { is: 'pending', fingerprint: fingerprint(newKey.publicKey) };
    // keep the new key: an earlier request with it may still reach a master
    if (answer.state === 'notExpired') return { is: 'notExpired' };
    const { peelId } = this.#options;
    const { publicKey } = newKey;
    checkGivenJwt(answer.jwt, { peelId, publicKey, notIssuedBefore: 0 }, mastersOf(current, clock));
    if (answer.recovery !== undefined) files.note(answer.recovery);
    const creds = credsOfJwt(answer.jwt, newKey.seed, (content) => store.decode(content));
    try {
      // a crash in between is harmless: the next renewal issues it again
      await store.write(creds);
      await files.forgetKey();
    } catch (notWritten) {
      return { is: 'recovered', creds, notWritten };
    }
    return { is: 'recovered', creds };
  }

  async #request(current: CredsFile, credential: string, newKey: KeyBundle): Promise<AnswerOf<'recover'>> {
    const { peelId } = this.#options;
    const { publicKey } = current;
    const newPublicKey = newKey.publicKey;
    const user = recoveryName(peelId);
    const nc = await this.#connect(current, credential);
    try {
      const request = { peelId, publicKey: newPublicKey };
      const subject = enrollSubject(user, 'challenge');
      const { challenge } = await this.#send(nc, current, 'challenge', subject, request);
      const count = recoveriesOf(decodeUserJwt(credential));
      const signed = { requestId: newRequestId(), publicKey, newPublicKey, count, challenge };
      const proof = recoveryProof({ ...signed, peelId });
      return await this.#send(nc, current, 'recover', signed.requestId, {
        ...signed,
        credential,
        signature: signProofWith(current, proof),
        newSignature: signProof(newKey, proof),
      });
    } finally {
      await nc.close();
    }
  }

  async #connect(current: CredsFile, credential: string): Promise<NatsConnection> {
    const { connection, peelId } = this.#options;
    const { servers, tls, requireTls, timeout = DIAL_TIMEOUT_MS } = connection;
    const plan = planConnection({ servers, tls, requireTls });
    const user = recoveryCreds(current, credential);
    try {
      return await dial({
        ...PERSISTENT_OPTIONS,
        name: 'zester-recover',
        servers: plan.urls,
        tls,
        requireTls,
        timeout,
        inboxPrefix: recoveryInboxPrefix(peelId),
        ...user.natsOption(),
        waitOnFirstConnect: false,
        reconnect: false,
      });
    } catch (cause) {
      throw firstConnectError(cause, plan.urls.join(', '), timeout, {
        what: 'the recovery credential',
        why: 'it may have expired, or its key is revoked',
      });
    } finally {
      user.wipe();
    }
  }

  async #send<N extends 'challenge' | 'recover'>(
    nc: NatsConnection,
    current: CredsFile,
    name: N,
    context: string,
    request: RequestOf<N>,
  ): Promise<AnswerOf<N>> {
    const { peelId, clock } = this.#options;
    const subject = enrollSubject(recoveryName(peelId), name);
    return askMaster({ name, context, creds: current, clock }, () =>
      requestMaster(nc, subject, encodeJson(request), { timeoutMs: RECOVERY_ANSWER_TIMEOUT_MS }),
    );
  }
}

/** Whether another program has replaced the credentials: by another key, or by a longer-lived JWT for the same key. */
function isReplaced(current: CredsFile, there: CredsFile): boolean {
  if (there.publicKey !== current.publicKey) return true;
  return (expiryTime(there.claims) ?? Infinity) > (expiryTime(current.claims) ?? Infinity);
}

/** The user of the recovery credential: its JWT, with the peel's own key. */
function recoveryCreds(current: CredsFile, credential: string): CredsFile {
  return credsOfJwt(credential, current.seed, (content) => decodeCreds(content, 'the recovery credential'));
}
