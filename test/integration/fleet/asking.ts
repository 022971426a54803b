import { connect, type NatsConnection } from '@nats-io/transport-node';
import { join } from 'node:path';
import { writeCredsFile } from '../../../src/creds/generate.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import type { CredsFile } from '../../../src/creds/creds-file.js';
import { FleetError, type FleetErrorCode } from '../../../src/errors.js';
import { connectMaster } from '../../../src/connection/connect.js';
import { ASK_TIMEOUT_MS } from '../../../src/timing.js';
import { requestWithResend } from '../../../src/protocol/request-with-resend.js';
import {
  answerContext,
  requestMaster,
  newRequestId,
  type AdminClient,
} from '../../../src/protocol/admin-client.js';
import { isMasterOf } from '../../../src/protocol/is-master.js';
import {
  encodeJson,
  parseAnswer,
  refusalIn,
  type AnswerOf,
  type RequestName,
  type RequestOf,
} from '../../../src/protocol/messages.js';
import { joinProof, rotationProof } from '../../../src/protocol/proofs.js';
import { requestPeel } from '../../../src/fleet-client/request-peel.js';
import { verifySigned } from '../../../src/protocol/signed.js';
import { authSubject, enrollSubject } from '../../../src/permissions/names.js';
import { createUserJwt, type UserJwtOptions } from '../../../src/jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../../../src/nkeys/key-bundle.js';
import { peelInboxPrefix } from '../../../src/permissions/names.js';
import { joinInboxPrefix, joinName } from '../../../src/permissions/roles.js';
import { atEnd } from '../../support/cleanup.js';
import { waitFor } from '../../support/wait-for.js';
import type { Fleet } from './fleet.js';

/**
 * Sends a request and reads the answer like a strict peel: a master of the account must have signed it.
 *
 * @throws FleetError for a refusal
 */
export async function askMaster<N extends RequestName>(
  nc: NatsConnection,
  account: string,
  name: N,
  subject: string,
  request: unknown,
): Promise<AnswerOf<N>> {
  const answer = await requestMaster(nc, subject, encodeJson(request));
  const id = (request as { requestId?: string }).requestId ?? subject;
  const { claims, endorsements } = verifySigned(answerContext(name, id), answer);
  if (!isMasterOf(claims, account, Date.now() / 1000, endorsements))
    throw new Error(`${claims.sub} is no master`);
  const refusal = refusalIn(answer.data);
  if (refusal === undefined) return parseAnswer(name, answer.data);
  throw new FleetError(refusal.code as FleetErrorCode, refusal.message, { final: refusal.final });
}

/** A connection of a non-peel user of the account, with these permissions, signed by the account's key. */
export async function connectUser(
  fleet: Fleet,
  name: string,
  permissions: UserJwtOptions['permissions'],
  inboxPrefix?: string,
): Promise<NatsConnection> {
  const signer = await (await fleet.home.domain()).accountKey();
  const user = generateKeyBundle('user');
  const path = join(fleet.home.dir, `${user.publicKey}.creds`);
  await writeCredsFile(
    path,
    createUserJwt(user, signer, { name, ...(permissions && { permissions }) }),
    user.seed,
  );
  const nc = await connect({
    servers: fleet.servers,
    ...(inboxPrefix !== undefined && { inboxPrefix }),
    ...(await loadCredsFile(path)).natsOption(),
  });
  atEnd(() => nc.close());
  return nc;
}

/** Creates a join token, like an admin. */
export async function createToken(
  admin: AdminClient,
  fleet: Fleet,
  options: Partial<Pick<RequestOf<'token.create'>, 'ttl' | 'uses' | 'ids' | 'labels'>> = {},
): Promise<TokenHolder> {
  const user = generateKeyBundle('user');
  const tokenId = user.publicKey.slice(1, 13);
  const request = { publicKey: user.publicKey, tokenId, ttl: 600, uses: 10, ...options };
  const { jwt } = await admin.ask('token.create', request);
  const path = join(fleet.home.dir, `${tokenId}.creds`);
  await writeCredsFile(path, jwt, user.seed);
  return TokenHolder.connect(fleet, tokenId, path);
}

/** The holder of a join token. */
export class TokenHolder {
  readonly tokenId: string;
  readonly user: string;
  readonly nc: NatsConnection;
  readonly creds: CredsFile;
  readonly account: string;

  private constructor(tokenId: string, nc: NatsConnection, creds: CredsFile, account: string) {
    this.tokenId = tokenId;
    this.user = joinName(tokenId);
    this.nc = nc;
    this.creds = creds;
    this.account = account;
  }

  static async connect(fleet: Fleet, tokenId: string, path: string): Promise<TokenHolder> {
    const creds = await loadCredsFile(path);
    const nc = await connect({
      servers: fleet.servers,
      inboxPrefix: joinInboxPrefix(tokenId),
      ...creds.natsOption(),
      reconnectTimeWait: 50,
      ignoreAuthErrorAbort: false,
    });
    atEnd(() => nc.close());
    const { publicKeys } = await fleet.home.domain();
    return new TokenHolder(tokenId, nc, creds, publicKeys.account);
  }

  async challenge(peelId: string, key: KeyBundle): Promise<string> {
    const request = { peelId, publicKey: key.publicKey };
    const subject = enrollSubject(this.user, 'challenge');
    return (await askMaster(this.nc, this.account, 'challenge', subject, request)).challenge;
  }

  /** The request to join with this challenge. */
  joinRequest(
    peelId: string,
    key: KeyBundle,
    challenge: string,
    requestId = newRequestId(),
  ): RequestOf<'join'> {
    const { publicKey } = key;
    const proof = joinProof({ user: this.user, peelId, publicKey, challenge });
    const signature = Buffer.from(key.sign(proof)).toString('base64url');
    return { requestId, peelId, publicKey, challenge, signature };
  }

  send(request: RequestOf<'join'>): Promise<AnswerOf<'join'>> {
    return askMaster(this.nc, this.account, 'join', enrollSubject(this.user, 'join'), request);
  }

  /** Requests a challenge, and joins with it. */
  async join(peelId: string, key: KeyBundle, requestId?: string): Promise<AnswerOf<'join'>> {
    return this.send(this.joinRequest(peelId, key, await this.challenge(peelId, key), requestId));
  }

  /** Joins, and is accepted. @returns the JWT */
  async joined(peelId: string, key: KeyBundle): Promise<string> {
    const answer = await this.join(peelId, key);
    if (answer.state !== 'accepted') throw new Error(`${peelId} is ${answer.state}`);
    return answer.jwt;
  }
}

/** A peel's connection and key, without automatic renewal. */
export class BarePeel {
  readonly peelId: string;
  readonly key: KeyBundle;
  readonly nc: NatsConnection;
  readonly account: string;

  constructor(peelId: string, key: KeyBundle, nc: NatsConnection, account: string) {
    this.peelId = peelId;
    this.key = key;
    this.nc = nc;
    this.account = account;
  }

  static async connect(fleet: Fleet, peelId: string, key: KeyBundle, jwt: string): Promise<BarePeel> {
    const path = join(fleet.home.dir, `${peelId}-${key.publicKey}.creds`);
    await writeCredsFile(path, jwt, key.seed);
    const nc = await connect({
      servers: fleet.servers,
      inboxPrefix: peelInboxPrefix(peelId),
      ...(await loadCredsFile(path)).natsOption(),
      reconnectTimeWait: 50,
      ignoreAuthErrorAbort: false,
    });
    atEnd(() => nc.close());
    const { publicKeys } = await fleet.home.domain();
    return new BarePeel(peelId, key, nc, publicKeys.account);
  }

  /** Like {@link renew}, with retries like a peel: the same request is resent until it is answered. */
  async renewAgain(): Promise<AnswerOf<'renew'>> {
    const request = { requestId: newRequestId(), publicKey: this.key.publicKey };
    const { data } = await requestWithResend(
      this.nc,
      authSubject(this.peelId, 'renew'),
      encodeJson(request),
      {
        inboxPrefix: peelInboxPrefix(this.peelId),
        timeoutMs: ASK_TIMEOUT_MS,
      },
    );
    return parseAnswer('renew', data);
  }

  renew(
    requestId = newRequestId(),
    publicKey = this.key.publicKey,
    recovery?: RequestOf<'renew'>['recovery'],
  ): Promise<AnswerOf<'renew'>> {
    return askMaster(this.nc, this.account, 'renew', authSubject(this.peelId, 'renew'), {
      requestId,
      publicKey,
      ...(recovery && { recovery }),
    });
  }

  /** The request to replace the current key. */
  rotateRequest(newKey: KeyBundle, requestId = newRequestId()): RequestOf<'rotate'> {
    const of = { publicKey: this.key.publicKey, newPublicKey: newKey.publicKey };
    const proof = rotationProof({ requestId, peelId: this.peelId, ...of });
    const sign = (key: KeyBundle) => Buffer.from(key.sign(proof)).toString('base64url');
    return { requestId, ...of, signature: sign(this.key), newSignature: sign(newKey) };
  }

  rotate(request: RequestOf<'rotate'>): Promise<AnswerOf<'rotate'>> {
    return askMaster(this.nc, this.account, 'rotate', authSubject(this.peelId, 'rotate'), request);
  }
}

/** Adds a peel like an admin, and connects it. */
export async function addPeel(
  fleet: Fleet,
  admin: AdminClient,
  peelId: string,
  options: Partial<RequestOf<'peel.add'>> = {},
): Promise<BarePeel> {
  const key = generateKeyBundle('user');
  const { jwt } = await admin.ask('peel.add', {
    requestId: newRequestId(),
    peelId,
    publicKey: key.publicKey,
    ...options,
  });
  return BarePeel.connect(fleet, peelId, key, jwt);
}

/** Waits until each of these peels has answered a ping of a master's user. */
export async function allAnswer(fleet: Fleet, ids: readonly string[]): Promise<void> {
  const { paths } = await fleet.home.domain();
  const nc = await connectMaster({ servers: fleet.servers, credsPath: paths.masterCreds });
  atEnd(() => nc.close());
  await Promise.all(
    ids.map((id) =>
      waitFor(
        `${id} to answer a ping`,
        async () => {
          const answer = await requestPeel(nc, id, encodeJson({ handler: 'ping', args: [] }), {
            timeoutMs: 5_000,
          });
          return answer.json<{ peelId: string }>().peelId === id;
        },
        30_000,
      ),
    ),
  );
}
