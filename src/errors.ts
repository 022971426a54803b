// Every error that Zester throws, with its stable code.

/**
 * Every error that Zester throws. Each class stands for one concern, each `code` for one thing that went wrong:
 * codes are stable, messages are for people and may change.
 *
 * A message says what was wrong, where (path, id or public key) and what to do. It never holds a seed, and it is safe to
 * print: what it quotes of a peel, a server or a file has no control or invisible characters left.
 */
/* eslint-disable @typescript-eslint/no-useless-constructor -- they narrow the type of the code */
import { oneLine, printable } from './text/printable.js';

/**
 * The text without the seeds in it, and without the users and passwords of URLs. A seed gets into a message when it is given where a path, an id or a public key
 * belongs (`--account-seed SAA…` instead of a file), and a public key never begins with S.
 *
 * @example
 * import { generateKeyBundle, redactSeeds } from 'zester';
 *
 * const user = generateKeyBundle('user');
 * const seed = Buffer.from(user.seed).toString();
 * console.log(redactSeeds(`no such file: ${seed}`)); // no such file: (a seed)
 */
export function redactSeeds(text: string): string {
  return text
    .replace(SEED_TEXT, '(a seed)')
    .replace(URL_USER, '$1(hidden)@')
    .replace(LONG_BASE64, (run) => (encodesSeed(run) ? '(a seed, encoded)' : run));
}

/** Enough to hold a seed: its 58 characters are 78 in base64. */
const LONG_BASE64 = /[A-Za-z0-9+/_-]{76,}={0,2}/g;

/** Whether base64 holds a whole seed, wherever in the run the encoded text begins. It is longer than a `jti` of a JWT. */
function encodesSeed(run: string): boolean {
  return [0, 1, 2, 3].some((from) =>
    /S[OAUXNC][A-Z2-7]{54,}/.test(Buffer.from(run.slice(from), 'base64').toString('latin1')),
  );
}

/**
 * Whether a text holds a seed, given where something that is not secret belongs.
 *
 * @example
 * import { holdsSeed } from 'zester';
 *
 * console.log(holdsSeed('the laptop was stolen')); // false
 */
export function holdsSeed(text: string): boolean {
  return text.length >= SHORTEST_SEED && text.search(SEED_TEXT) >= 0;
}

/** The user and the password of a URL, up to the last @ of the word. */
const URL_USER = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s"']{0,2048}@/gi;

/** Shorter than a seed too: what was copied but for some characters is still a secret. */
const SEED_TEXT = /(?<![A-Z2-7])S[A-Z2-7]{40,}/g;
const SHORTEST_SEED = 41;

/** Marks the errors of every copy of this package. */
const BRAND = Symbol.for('zester.error');

/** Options of every error: `cause` keeps the original. */
export interface ZesterErrorOptions {
  /** The error that led to this one. */
  cause?: unknown;
}

/**
 * The base of all errors of this library. Catch it to catch them all; switch on `code` to tell them apart. Where two copies of the
 * package may be loaded (ESM and CommonJS, a bundle), ask {@link isZesterError} instead of `instanceof`.
 *
 * @example
 * import { loadCredsFile, ZesterError } from 'zester';
 *
 * try {
 *   await loadCredsFile('missing.creds');
 * } catch (error) {
 *   if (!(error instanceof ZesterError)) throw error;
 *   console.log(error.code); // ERR_FILE_NOT_FOUND
 * }
 */
export class ZesterError extends Error {
  override readonly name: string = 'ZesterError';
  /** Stable, machine-readable, such as `ERR_CREDS_SEED_MISMATCH`. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ZesterErrorOptions) {
    const redacted = redactSeeds(message);
    // where the message had a seed in it, the cause may have it too
    super(printable(oneLine(redacted)), redacted === message ? options : undefined);
    this.code = code;
  }

  /** @internal */
  get [BRAND](): true {
    return true;
  }
}

/** The codes of {@link FileError}. */
export type FileErrorCode =
  | 'ERR_FILE_NOT_FOUND'
  | 'ERR_FILE_IS_DIRECTORY'
  | 'ERR_FILE_READ'
  | 'ERR_FILE_WRITE'
  /** A named pipe, a device or a socket stands where a file should. */
  | 'ERR_FILE_NOT_REGULAR'
  /** The path exists, and replacing it was not allowed. */
  | 'ERR_FILE_EXISTS'
  /** The directory to write into is not there. */
  | 'ERR_FILE_DIRECTORY_NOT_FOUND'
  /** Another run that writes it is under way. */
  | 'ERR_FILE_IN_USE';

/** A file cannot be read or written. `path` says which; the `code` of `cause` is the system's. */
export class FileError extends ZesterError {
  declare readonly code: FileErrorCode;
  override readonly name = 'FileError';
  /** The file. */
  readonly path: string;

  constructor(code: FileErrorCode, path: string, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
    this.path = redactSeeds(path);
  }
}

/** The codes of {@link KeyError}. */
export type KeyErrorCode =
  /** Not base32 text of a key at all. */
  | 'ERR_KEY_ENCODING'
  /** The text is damaged: its CRC-16 does not match. */
  | 'ERR_KEY_CHECKSUM'
  /** A whole key, but of another role than asked for. */
  | 'ERR_KEY_ROLE'
  /** A public key where a seed belongs. */
  | 'ERR_KEY_NOT_A_SEED'
  /** A seed where a public key belongs. */
  | 'ERR_KEY_IS_A_SEED'
  /** The bundle was wiped, or holds no private half. */
  | 'ERR_KEY_WIPED'
  /** The key file holds no key. */
  | 'ERR_KEY_FILE'
  /** An option is not known, or is not usable. */
  | 'ERR_KEY_OPTIONS'
  /** `ZESTER_ED25519` asks for an implementation that is not there. */
  | 'ERR_KEY_BACKEND';

/** A key, a seed or a file that should hold one is not what it should be. */
export class KeyError extends ZesterError {
  declare readonly code: KeyErrorCode;
  override readonly name = 'KeyError';

  constructor(code: KeyErrorCode, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
  }
}

/** The codes of {@link JwtError}. */
export type JwtErrorCode =
  /** Not three base64url parts of JSON. */
  | 'ERR_JWT_FORMAT'
  /** Not the header of a NATS JWT v2: `none`, `HS256`, a v1 token, … */
  | 'ERR_JWT_ALGORITHM'
  /** The claims are of an unsupported version. */
  | 'ERR_JWT_VERSION'
  /** The signature is not the issuer's. */
  | 'ERR_JWT_SIGNATURE'
  /** A whole token, but of another type than asked for. */
  | 'ERR_JWT_TYPE'
  /** A claim is missing or is of the wrong form. */
  | 'ERR_JWT_CLAIMS'
  /** The issuer's or the subject's role does not fit the type of the token. */
  | 'ERR_JWT_ISSUER'
  /** The token would not fit a CONNECT line of the server's default `max_control_line`. */
  | 'ERR_JWT_TOO_LARGE'
  /** An option given to a `create…Jwt` function is not usable. */
  | 'ERR_JWT_OPTIONS';

/** A token cannot be made from what was given, or cannot be trusted as it is. */
export class JwtError extends ZesterError {
  declare readonly code: JwtErrorCode;
  override readonly name = 'JwtError';

  constructor(code: JwtErrorCode, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
  }
}

/** The codes of {@link JwtChainError}: `link`, and what is wrong with it. */
export type JwtChainErrorCode =
  | 'ERR_CHAIN_OPERATOR_ISSUER'
  | 'ERR_CHAIN_OPERATOR_EXPIRED'
  | 'ERR_CHAIN_OPERATOR_NOT_YET_VALID'
  | 'ERR_CHAIN_OPERATOR_INVALID'
  | 'ERR_CHAIN_ACCOUNT_ISSUER'
  | 'ERR_CHAIN_ACCOUNT_ISSUER_STRICT'
  | 'ERR_CHAIN_ACCOUNT_EXPIRED'
  | 'ERR_CHAIN_ACCOUNT_NOT_YET_VALID'
  | 'ERR_CHAIN_ACCOUNT_INVALID'
  | 'ERR_CHAIN_USER_ISSUER'
  | 'ERR_CHAIN_USER_ISSUER_ACCOUNT'
  | 'ERR_CHAIN_USER_ISSUER_STRICT'
  | 'ERR_CHAIN_USER_SCOPED'
  | 'ERR_CHAIN_USER_BEARER'
  | 'ERR_CHAIN_USER_EXPIRED'
  | 'ERR_CHAIN_USER_NOT_YET_VALID'
  | 'ERR_CHAIN_USER_REVOKED'
  | 'ERR_CHAIN_USER_INVALID';

/** A link of the chain operator → account → user. */
export type JwtChainLink = 'operator' | 'account' | 'user';

/** The chain operator → account → user does not hold; `link` says where it breaks. */
export class JwtChainError extends ZesterError {
  declare readonly code: JwtChainErrorCode;
  override readonly name = 'JwtChainError';
  /** The JWT that breaks the chain. */
  readonly link: JwtChainLink;

  constructor(link: JwtChainLink, code: JwtChainErrorCode, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
    this.link = link;
  }
}

/** The id of a peel is not one NATS token of the allowed form. */
export class PeelIdError extends ZesterError {
  declare readonly code: 'ERR_PEEL_ID';
  override readonly name = 'PeelIdError';

  constructor(message: string) {
    super('ERR_PEEL_ID', message);
  }
}

/** A subject does not follow the subject grammar. */
export class SubjectError extends ZesterError {
  declare readonly code: 'ERR_SUBJECT';
  override readonly name = 'SubjectError';

  constructor(message: string) {
    super('ERR_SUBJECT', message);
  }
}

/** The codes of {@link CredsError}. */
export type CredsErrorCode =
  | 'ERR_CREDS_NO_JWT'
  | 'ERR_CREDS_NO_SEED'
  | 'ERR_CREDS_DUPLICATE_JWT'
  | 'ERR_CREDS_DUPLICATE_SEED'
  /** A section that is opened and not closed, or holds more than its one line: a torn or edited file. */
  | 'ERR_CREDS_FORMAT'
  /** The seed is an account's or an operator's, not a user's. */
  | 'ERR_CREDS_SEED_ROLE'
  /** The seed's text is damaged. */
  | 'ERR_CREDS_SEED_CHECKSUM'
  /** The seed section holds no seed. */
  | 'ERR_CREDS_SEED_FORMAT'
  /** The JWT's text is not a NATS JWT. */
  | 'ERR_CREDS_JWT_FORMAT'
  /** The JWT is an account's or an operator's. */
  | 'ERR_CREDS_JWT_TYPE'
  /** The JWT was altered: its signature does not match. */
  | 'ERR_CREDS_JWT_SIGNATURE'
  /** The JWT's subject is not the seed's public key. */
  | 'ERR_CREDS_SEED_MISMATCH'
  /** Larger than 64 KiB. */
  | 'ERR_CREDS_TOO_LARGE'
  /** Valid once: the JWT's time is over. */
  | 'ERR_CREDS_EXPIRED'
  /** Whole and valid, but of another peel than the one that it was given for. */
  | 'ERR_CREDS_OTHER_PEEL'
  /** Neither bytes nor text was given. */
  | 'ERR_CREDS_INPUT'
  | 'ERR_CREDS_WIPED'
  /** There are no credentials in any of the places where they were looked for. */
  | 'ERR_CREDS_NOT_FOUND'
  /** A credential provider failed, or took too long. */
  | 'ERR_CREDS_PROVIDER'
  /** Credentials that cannot be stored were given to what has to store renewed ones. */
  | 'ERR_CREDS_NO_STORE';

/** A `.creds` file, or the bytes of one, cannot be made, read or used. `path` says which. */
export class CredsError extends ZesterError {
  declare readonly code: CredsErrorCode;
  override readonly name = 'CredsError';
  /** The file, or the name that was given with the bytes. */
  readonly path: string;

  constructor(code: CredsErrorCode, path: string, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
    this.path = redactSeeds(path);
  }
}

/** The codes of {@link ConnectError}. */
export type ConnectErrorCode =
  /** No server answered, or none that did took the connection (it is full, or shuts down). */
  | 'ERR_CONNECT_UNREACHABLE'
  /** A server's URL cannot be used. */
  | 'ERR_CONNECT_URL'
  /** No server is named. */
  | 'ERR_CONNECT_NO_SERVERS'
  /** TLS is required, and the server offers none. */
  | 'ERR_CONNECT_NO_TLS'
  /** The server's certificate is not trusted, or the server does not take this side's. */
  | 'ERR_CONNECT_CERTIFICATE'
  /** A file for TLS cannot be read, is not PEM, or does not fit the others. */
  | 'ERR_CONNECT_TLS_FILE'
  /** The connection would not be encrypted, and TLS is required. */
  | 'ERR_CONNECT_PLAIN'
  /** The server refused the credentials. */
  | 'ERR_CONNECT_REFUSED'
  /** An option can never work, or the options do not fit together. */
  | 'ERR_CONNECT_OPTIONS';

/** A first connection could not be made. Later ones are tried again for as long as the connection is not closed. */
export class ConnectError extends ZesterError {
  declare readonly code: ConnectErrorCode;
  override readonly name = 'ConnectError';

  constructor(code: ConnectErrorCode, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
  }
}

/** A publish during an outage would go over the reconnect buffer's bound. What was accepted before is kept. */
export class ReconnectBufferExceededError extends ZesterError {
  declare readonly code: 'ERR_RECONNECT_BUFFER_EXCEEDED';
  override readonly name = 'ReconnectBufferExceededError';
  /** The bound, in bytes. */
  readonly maxBytes: number;
  /** The bytes already kept. */
  readonly bufferedBytes: number;

  constructor(maxBytes: number, bufferedBytes: number, messageBytes: number) {
    super(
      'ERR_RECONNECT_BUFFER_EXCEEDED',
      `disconnected, and the reconnect buffer has no room: it keeps ${bufferedBytes} of ${maxBytes} bytes, this message ` +
        `has ${messageBytes}; publish it again after the reconnect, or raise reconnectBufferSize`,
    );
    this.maxBytes = maxBytes;
    this.bufferedBytes = bufferedBytes;
  }
}

/** A connection was drained or closed during an outage, and these messages, accepted before, were not delivered. */
export class UndeliveredError extends ZesterError {
  declare readonly code: 'ERR_UNDELIVERED';
  override readonly name = 'UndeliveredError';
  /** Messages that are certainly not delivered. */
  readonly messages: number;
  /** Their size in bytes. */
  readonly bytes: number;

  constructor(messages: number, bytes: number, why: string, options?: ZesterErrorOptions) {
    super('ERR_UNDELIVERED', `${why}: ${messages} messages (${bytes} bytes) were not delivered`, options);
    this.messages = messages;
    this.bytes = bytes;
  }
}

/** The codes of {@link TrustError}. */
export type TrustErrorCode =
  /** No trust domain in the home. */
  | 'ERR_TRUST_NOT_FOUND'
  /** Making it was interrupted; doing it again completes it. */
  | 'ERR_TRUST_INCOMPLETE'
  /** Once whole, and now files are missing or do not fit each other. */
  | 'ERR_TRUST_DAMAGED'
  /** The home is not a directory. */
  | 'ERR_TRUST_HOME'
  /** Others can get at the home. */
  | 'ERR_TRUST_HOME_EXPOSED'
  /** Others can get at a file with a secret. */
  | 'ERR_TRUST_SECRET_EXPOSED'
  /** `zester.json` is not what it should be. */
  | 'ERR_TRUST_SETTINGS'
  /** Written by a newer version of Zester. */
  | 'ERR_TRUST_VERSION'
  /** The home has a domain of other names than asked for. */
  | 'ERR_TRUST_NAMES'
  /** A seed is needed that is not in the home. */
  | 'ERR_TRUST_KEY_OFFLINE'
  /** A seed file of the home holds another key's. */
  | 'ERR_TRUST_KEY_MISMATCH'
  /** The parts of an adopted trust domain do not fit each other. */
  | 'ERR_TRUST_ADOPT'
  /** Another command is changing the home. */
  | 'ERR_TRUST_LOCKED'
  /** No signing key of that public key, or it cannot be taken away. */
  | 'ERR_TRUST_SIGNING_KEY'
  /** The permissions do not fit a template, or would allow everything. */
  | 'ERR_TRUST_PERMISSIONS'
  /** There is nothing known to revoke under what was named. */
  | 'ERR_TRUST_NOTHING_TO_REVOKE'
  /** The revocation would lock out the master and the admin of this home too. */
  | 'ERR_TRUST_REVOKES_MASTER'
  /** The account JWT would be larger than the servers take. */
  | 'ERR_TRUST_ACCOUNT_TOO_LARGE'
  /** The directory for the identity seeds cannot be used. */
  | 'ERR_TRUST_EXPORT'
  /** There is no master of that name, or there is one already, or it cannot be removed. */
  | 'ERR_TRUST_MASTER'
  /** An admin of that name exists already, or none does. */
  | 'ERR_TRUST_ADMIN'
  /** What is no invitation for a master, or no longer one. */
  | 'ERR_TRUST_INVITE'
  /** The invitation has expired. */
  | 'ERR_TRUST_INVITE_EXPIRED'
  /** There is something in the directory where a home is to be made. */
  | 'ERR_TRUST_HOME_IN_USE'
  /** An option is not known, or is not usable. */
  | 'ERR_TRUST_OPTIONS';

/** The trust domain in a home cannot be made or used as it is. `path` says which home, or which file of it. */
export class TrustError extends ZesterError {
  declare readonly code: TrustErrorCode;
  override readonly name = 'TrustError';
  /** The home, or the file of it. */
  readonly path: string;

  constructor(code: TrustErrorCode, path: string, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
    this.path = redactSeeds(path);
  }
}

/** The codes of {@link NatsServerError}. */
export type NatsServerErrorCode =
  /** A cluster whose nats-server loses writes: a fleet's state cannot be kept there. */
  | 'ERR_SERVER_TOO_OLD'
  /** No `nats-server` program on this machine. */
  | 'ERR_NATS_SERVER_NOT_FOUND'
  /** It started and ended again, or did not become ready in time. */
  | 'ERR_NATS_SERVER_START'
  /** It ended while it was to run. */
  | 'ERR_NATS_SERVER_ENDED'
  /** A configuration cannot be made from what was given. */
  | 'ERR_NATS_SERVER_OPTIONS'
  /** There are no credentials of the system account to speak to it with. */
  | 'ERR_NATS_SERVER_NO_SYSTEM_CREDS'
  /** It does not take these credentials: it trusts another operator, or they expired. */
  | 'ERR_NATS_SERVER_REFUSED'
  /** It does not answer. */
  | 'ERR_NATS_SERVER_UNREACHABLE'
  /** The user is none of the system account. */
  | 'ERR_NATS_SERVER_NOT_SYSTEM'
  /** Its resolver takes no account JWTs (`MEMORY`). */
  | 'ERR_NATS_SERVER_RESOLVER'
  /** It refused the account JWT. */
  | 'ERR_NATS_SERVER_PUSH_REFUSED'
  /** Some servers of the cluster confirmed, others did not. */
  | 'ERR_NATS_SERVER_PUSH_INCOMPLETE'
  /** Servers do not know a signing key of the operator yet. */
  | 'ERR_NATS_SERVER_OPERATOR_OUTDATED';

/** The `nats-server` program is missing or does not do its work. */
export class NatsServerError extends ZesterError {
  declare readonly code: NatsServerErrorCode;
  override readonly name = 'NatsServerError';

  constructor(code: NatsServerErrorCode, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
  }
}

/** The codes of {@link BackupError}. */
export type BackupErrorCode =
  /** No backup, or one that is cut off or was changed. */
  | 'ERR_BACKUP_DAMAGED'
  /** The identity does not decrypt it, or is none. */
  | 'ERR_BACKUP_IDENTITY'
  /** A newer version of Zester made it. */
  | 'ERR_BACKUP_VERSION'
  /** It is of another trust domain than the home. */
  | 'ERR_BACKUP_OTHER_TRUST'
  /** The home is in use and no trust domain: nothing is written over it. */
  | 'ERR_BACKUP_HOME';

/** A backup cannot be made or restored. `path` says which file. */
export class BackupError extends ZesterError {
  declare readonly code: BackupErrorCode;
  override readonly name = 'BackupError';
  /** The file. */
  readonly path: string;

  constructor(code: BackupErrorCode, path: string, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
    this.path = redactSeeds(path);
  }
}

/** The codes of {@link BulkError}. */
export type BulkErrorCode =
  /** Some rows were bad or could not be delivered; the others are done. */
  | 'ERR_BULK_INCOMPLETE'
  /** A row of the list of peels cannot be used. */
  | 'ERR_BULK_ROW'
  /** One credential did not get to where it was to go. */
  | 'ERR_BULK_DELIVERY'
  /** The list of peels, or the journal, is not what it should be. */
  | 'ERR_BULK_INPUT'
  /** Nobody reads any more what is written to standard output. */
  | 'ERR_BULK_OUTPUT_CLOSED';

/** Credentials issued in bulk did not all get to where they were to go. */
export class BulkError extends ZesterError {
  declare readonly code: BulkErrorCode;
  override readonly name = 'BulkError';

  constructor(code: BulkErrorCode, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
  }
}

/** The codes of {@link FleetError}. */
export type FleetErrorCode =
  /** No master answers. */
  | 'ERR_FLEET_NO_MASTER'
  /** A master or a peel did not answer in time. */
  | 'ERR_FLEET_TIMEOUT'
  /** The peel is not connected. */
  | 'ERR_FLEET_NOT_CONNECTED'
  /** A request is not what it should be. */
  | 'ERR_FLEET_REQUEST'
  /** A label or a label selector is not what it should be, or there are too many labels. */
  | 'ERR_FLEET_LABEL'
  /** An answer is not what it should be, or not signed by who should have. */
  | 'ERR_FLEET_ANSWER'
  /** The caller is not authorized for this request. */
  | 'ERR_FLEET_DENIED'
  /** Too many requests of one user. */
  | 'ERR_FLEET_RATE'
  /** A request's reply subject is not below the caller's own inbox. */
  | 'ERR_FLEET_REPLY'
  /** No peel of that id is in the registry. */
  | 'ERR_FLEET_UNKNOWN_PEEL'
  /** The id belongs to another key. */
  | 'ERR_FLEET_ID_TAKEN'
  /** The public key belongs to another peel. */
  | 'ERR_FLEET_KEY_TAKEN'
  /** The key is none of that peel's. */
  | 'ERR_FLEET_KEY_UNKNOWN'
  /** Waiting for an admin's decision. */
  | 'ERR_FLEET_PENDING'
  /** The policy function of a master threw, did not answer in time, or gave no decision: the peel is pending. */
  | 'ERR_FLEET_POLICY'
  | 'ERR_FLEET_REJECTED'
  | 'ERR_FLEET_REVOKED'
  /** A JWT claims to be issued later than it was used. */
  | 'ERR_FLEET_ISSUED_AHEAD'
  /** The request does not fit the state of the peel. */
  | 'ERR_FLEET_STATE'
  /** No such join token, or a removed one. */
  | 'ERR_FLEET_TOKEN_UNKNOWN'
  | 'ERR_FLEET_TOKEN_EXPIRED'
  | 'ERR_FLEET_TOKEN_USED_UP'
  /** The join token is for other ids. */
  | 'ERR_FLEET_TOKEN_ID'
  /** The masters do not let this peel recover: by their policy, or its credential expired too long ago. */
  | 'ERR_FLEET_RECOVERY'
  /** A copy of the peel's credential was used: the peel is revoked until an admin decides. */
  | 'ERR_FLEET_CLONED'
  /** The challenge is not one that a master gave to this user, or it was used, or its time is over. */
  | 'ERR_FLEET_CHALLENGE'
  /** The signature does not prove that the asker holds the key. */
  | 'ERR_FLEET_PROOF'
  /** An admin's request was signed too long ago, or in the future, by the master's clock. */
  | 'ERR_FLEET_CLOCK'
  /** A copy of an admin's request that a master has taken already. */
  | 'ERR_FLEET_REPLAY'
  /** The servers have no JetStream, or it does not answer. */
  | 'ERR_FLEET_STORE'
  /** A master that was started is not healthy in time: its connection is down, or no master follows the servers' events. */
  | 'ERR_FLEET_NOT_READY'
  /** A record or an event in JetStream is not what it should be. */
  | 'ERR_FLEET_RECORD'
  /** Decided, and not yet confirmed by every server. It continues. */
  | 'ERR_FLEET_UNCONFIRMED'
  /** The master lacks a key that this needs. */
  | 'ERR_FLEET_KEY_OFFLINE'
  /** A connection that a master could not judge, and therefore cut. */
  | 'ERR_FLEET_UNJUDGED'
  /** A connection whose JWT is for another key than the one that it gave the server as its user. */
  | 'ERR_FLEET_OTHER_KEY'
  /** The peel has no handler of that name. */
  | 'ERR_FLEET_NO_HANDLER'
  /** The peel's handler failed. */
  | 'ERR_FLEET_HANDLER'
  /** Some of those asked did not answer, or failed. */
  | 'ERR_FLEET_INCOMPLETE'
  /** A file or a variable of the configuration is not what it should be. */
  | 'ERR_FLEET_CONFIG'
  /** Something failed in the master that is none of the above; its log says more. */
  | 'ERR_FLEET_INTERNAL';

/** Errors between masters, peels and admins, and in their state: a request was refused or could not be made. */
export class FleetError extends ZesterError {
  declare readonly code: FleetErrorCode;
  override readonly name = 'FleetError';
  /** The refusal is a master's, signed by it, and asking again will not change it. */
  readonly final: boolean;
  /** The peel it is about. */
  readonly peelId: string | undefined;

  constructor(
    code: FleetErrorCode,
    message: string,
    options?: ZesterErrorOptions & { final?: boolean | undefined; peelId?: string | undefined },
  ) {
    super(code, message, options);
    this.final = options?.final ?? false;
    this.peelId = options?.peelId === undefined ? undefined : redactSeeds(options.peelId);
  }
}

/** The codes of {@link ApiError}. */
export type ApiErrorCode =
  /** No token, session or link, or one that is unknown, used or expired. */
  | 'ERR_API_AUTH'
  /** The request comes from another site's page. */
  | 'ERR_API_ORIGIN'
  /** There is no such resource. */
  | 'ERR_API_NOT_FOUND'
  /** The resource has no such method. */
  | 'ERR_API_METHOD'
  /** The query or the body does not have the documented form. */
  | 'ERR_API_REQUEST'
  /** The body is too large. */
  | 'ERR_API_TOO_LARGE';

/** A request to the HTTP interface (`zester api`, `zester ui`) was refused before it reached the fleet. */
export class ApiError extends ZesterError {
  declare readonly code: ApiErrorCode;
  override readonly name = 'ApiError';

  constructor(code: ApiErrorCode, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
  }
}

/** The command line was used wrongly; the CLI exits with 2. */
export class UsageError extends ZesterError {
  declare readonly code: 'ERR_USAGE';
  override readonly name = 'UsageError';

  constructor(message: string, options?: ZesterErrorOptions) {
    super('ERR_USAGE', message, options);
  }
}

/** A check (`zester doctor`, `zester permissions lint`) found problems, and has printed them. */
export class FindingsError extends ZesterError {
  declare readonly code: 'ERR_FINDINGS';
  override readonly name = 'FindingsError';
  /** What the command ends with: that of the findings, when all of them stand for the same. */
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super('ERR_FINDINGS', message);
    this.exitCode = exitCode;
  }
}

/** An expectation that a command was there to show did not hold (`zester demo`). */
export class ExpectationError extends ZesterError {
  declare readonly code: 'ERR_EXPECTATION';
  override readonly name = 'ExpectationError';

  constructor(message: string, options?: ZesterErrorOptions) {
    super('ERR_EXPECTATION', message, options);
  }
}

/** A command was asked to end by a signal (Ctrl-C) before it was done; it has cleaned up. */
export class InterruptedError extends ZesterError {
  declare readonly code: 'ERR_INTERRUPTED';
  override readonly name = 'InterruptedError';
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP';

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', message: string) {
    super('ERR_INTERRUPTED', message);
    this.signal = signal;
  }
}

/** Every code. What follows from each is in `error-traits.ts`. */
export type ErrorCode =
  | ApiErrorCode
  | BackupErrorCode
  | FileErrorCode
  | KeyErrorCode
  | JwtErrorCode
  | JwtChainErrorCode
  | CredsErrorCode
  | ConnectErrorCode
  | TrustErrorCode
  | NatsServerErrorCode
  | BulkErrorCode
  | FleetErrorCode
  | 'ERR_PEEL_ID'
  | 'ERR_SUBJECT'
  | 'ERR_RECONNECT_BUFFER_EXCEEDED'
  | 'ERR_UNDELIVERED'
  | 'ERR_USAGE'
  | 'ERR_FINDINGS'
  | 'ERR_EXPECTATION'
  | 'ERR_INTERRUPTED';

/**
 * Whether something that was caught is an error of this library, also of another copy of it in the same program.
 *
 * @example
 * import { isZesterError, loadCredsFile } from 'zester';
 *
 * try {
 *   await loadCredsFile('missing.creds');
 * } catch (error) {
 *   if (!isZesterError(error)) throw error;
 *   switch (error.code) {
 *     case 'ERR_FILE_NOT_FOUND':
 *       console.log('not provisioned yet'); // not provisioned yet
 *       break;
 *     default:
 *       throw error;
 *   }
 * }
 */
export function isZesterError(error: unknown): error is ZesterError {
  if (error instanceof ZesterError) return true;
  return error instanceof Error && (error as { [BRAND]?: unknown })[BRAND] === true;
}
