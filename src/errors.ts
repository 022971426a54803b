// Every error that Zester throws, with its stable code.

/**
 * Every error that Zester throws. Each class stands for one concern, each `code` for one thing that went wrong:
 * codes are stable, messages are for people and may change.
 *
 * A message says what was wrong, where (path, ID or public key) and what to do. It never contains a seed, and it is
 * safe to print: text quoted from a peel, a server or a file has no control or invisible characters left.
 */
/* oxlint-disable no-useless-constructor -- they narrow the type of the code */
import { oneLine, printable } from './text/printable.js';
import { redactSeeds } from './text/redact-seeds.js';

export { holdsSeed, redactSeeds } from './text/redact-seeds.js';

/** Marks the errors of every copy of this package. */
const BRAND = Symbol.for('zester.error');

/** The options of every error. */
export interface ZesterErrorOptions {
  /** The error that led to this one. */
  cause?: unknown;
}

/**
 * The base class of all errors of this library. Catch it to catch them all; switch on `code` to tell them apart. If two
 * copies of the package may be loaded (ESM and CommonJS, a bundle), use {@link isZesterError} instead of `instanceof`.
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
    // if the message contained a seed, the cause may, too
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
  /** The path is a named pipe, a device or a socket. */
  | 'ERR_FILE_NOT_REGULAR'
  /** The path exists, and replacing it was not allowed. */
  | 'ERR_FILE_EXISTS'
  /** The directory to write into does not exist. */
  | 'ERR_FILE_DIRECTORY_NOT_FOUND'
  /** Another run is writing the file. */
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
  /** Not the base32 text of a key. */
  | 'ERR_KEY_ENCODING'
  /** The text is damaged: its CRC-16 does not match. */
  | 'ERR_KEY_CHECKSUM'
  /** A valid key of the wrong role. */
  | 'ERR_KEY_ROLE'
  /** A public key where a seed belongs. */
  | 'ERR_KEY_NOT_A_SEED'
  /** A seed where a public key belongs. */
  | 'ERR_KEY_IS_A_SEED'
  /** The bundle was wiped, or has no private key. */
  | 'ERR_KEY_WIPED'
  /** The key file contains no key. */
  | 'ERR_KEY_FILE'
  /** An option is unknown or invalid. */
  | 'ERR_KEY_OPTIONS'
  /** `ZESTER_ED25519` names an implementation that is not available. */
  | 'ERR_KEY_BACKEND';

/** A key, a seed or a key file is invalid. */
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
  /** The claims have an unsupported version. */
  | 'ERR_JWT_VERSION'
  /** The signature is not the issuer's. */
  | 'ERR_JWT_SIGNATURE'
  /** A valid token of the wrong type. */
  | 'ERR_JWT_TYPE'
  /** A claim is missing or malformed. */
  | 'ERR_JWT_CLAIMS'
  /** The role of the issuer or the subject does not fit the type of the token. */
  | 'ERR_JWT_ISSUER'
  /** The token would not fit a CONNECT line of the server's default `max_control_line`. */
  | 'ERR_JWT_TOO_LARGE'
  /** An option of a `create…Jwt` function is invalid. */
  | 'ERR_JWT_OPTIONS';

/** A token cannot be created, or cannot be trusted. */
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

/** A peel ID is not a valid NATS token of the allowed form. */
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
  /** A section is not closed, or has more than one line: the file is torn or was edited. */
  | 'ERR_CREDS_FORMAT'
  /** The seed is an account's or an operator's, not a user's. */
  | 'ERR_CREDS_SEED_ROLE'
  /** The text of the seed is damaged. */
  | 'ERR_CREDS_SEED_CHECKSUM'
  /** The seed section contains no seed. */
  | 'ERR_CREDS_SEED_FORMAT'
  /** The text of the JWT is not a NATS JWT. */
  | 'ERR_CREDS_JWT_FORMAT'
  /** The JWT is an account's or an operator's. */
  | 'ERR_CREDS_JWT_TYPE'
  /** The JWT was altered: its signature does not match. */
  | 'ERR_CREDS_JWT_SIGNATURE'
  /** The JWT's subject is not the seed's public key. */
  | 'ERR_CREDS_SEED_MISMATCH'
  /** Larger than 64 KiB. */
  | 'ERR_CREDS_TOO_LARGE'
  /** The JWT has expired. */
  | 'ERR_CREDS_EXPIRED'
  /** The JWT is not valid yet; the message says from when it is. */
  | 'ERR_CREDS_NOT_YET_VALID'
  /** Valid, but for a different peel. */
  | 'ERR_CREDS_OTHER_PEEL'
  /** Neither bytes nor text was given. */
  | 'ERR_CREDS_INPUT'
  | 'ERR_CREDS_WIPED'
  /** None of the searched places has credentials. */
  | 'ERR_CREDS_NOT_FOUND'
  /** A credential provider failed or timed out. */
  | 'ERR_CREDS_PROVIDER'
  /** The source of the credentials cannot store renewed ones. */
  | 'ERR_CREDS_NO_STORE';

/** A `.creds` file, or its bytes, cannot be created, read or used. `path` says which. */
export class CredsError extends ZesterError {
  declare readonly code: CredsErrorCode;
  override readonly name = 'CredsError';
  /** The file, or the name given with the bytes. */
  readonly path: string;

  constructor(code: CredsErrorCode, path: string, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
    this.path = redactSeeds(path);
  }
}

/** The codes of {@link ConnectError}. */
export type ConnectErrorCode =
  /** No server answered, or none accepted the connection (full, or shutting down). */
  | 'ERR_CONNECT_UNREACHABLE'
  /** A server's URL cannot be used. */
  | 'ERR_CONNECT_URL'
  /** No server was given. */
  | 'ERR_CONNECT_NO_SERVERS'
  /** TLS is required, and the server does not offer it. */
  | 'ERR_CONNECT_NO_TLS'
  /** The server's certificate is not trusted, or the server rejected the client's. */
  | 'ERR_CONNECT_CERTIFICATE'
  /** A TLS file cannot be read, is not PEM, or does not match the others. */
  | 'ERR_CONNECT_TLS_FILE'
  /** The connection would not be encrypted, and TLS is required. */
  | 'ERR_CONNECT_PLAIN'
  /** The server refused the credentials. */
  | 'ERR_CONNECT_REFUSED'
  /** An option is invalid, or options conflict. */
  | 'ERR_CONNECT_OPTIONS';

/** The first connection failed. Later ones are retried until the connection is closed. */
export class ConnectError extends ZesterError {
  declare readonly code: ConnectErrorCode;
  override readonly name = 'ConnectError';

  constructor(code: ConnectErrorCode, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
  }
}

/** A publish during an outage would exceed the limit of the reconnect buffer. Messages accepted before are kept. */
export class ReconnectBufferExceededError extends ZesterError {
  declare readonly code: 'ERR_RECONNECT_BUFFER_EXCEEDED';
  override readonly name = 'ReconnectBufferExceededError';
  /** The limit, in bytes. */
  readonly maxBytes: number;
  /** The bytes already buffered. */
  readonly bufferedBytes: number;

  constructor(maxBytes: number, bufferedBytes: number, messageBytes: number) {
    super(
      'ERR_RECONNECT_BUFFER_EXCEEDED',
      `disconnected; the reconnect buffer has no room for a message of ${messageBytes} bytes: ${bufferedBytes} of ` +
        `${maxBytes} are in use; publish it again after the reconnect, or raise reconnectBufferSize`,
    );
    this.maxBytes = maxBytes;
    this.bufferedBytes = bufferedBytes;
  }
}

/** A connection was drained or closed during an outage, and messages accepted before were not delivered. */
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
  /** The home has no trust domain. */
  | 'ERR_TRUST_NOT_FOUND'
  /** Its creation was interrupted; run it again to complete it. */
  | 'ERR_TRUST_INCOMPLETE'
  /** Files are missing or do not match each other. */
  | 'ERR_TRUST_DAMAGED'
  /** The home is not a directory. */
  | 'ERR_TRUST_HOME'
  /** Other users can access the home. */
  | 'ERR_TRUST_HOME_EXPOSED'
  /** Other users can access a secret file. */
  | 'ERR_TRUST_SECRET_EXPOSED'
  /** `zester.json` is invalid. */
  | 'ERR_TRUST_SETTINGS'
  /** Written by a newer version of Zester. */
  | 'ERR_TRUST_VERSION'
  /** The home has a domain with other names than requested. */
  | 'ERR_TRUST_NAMES'
  /** A required seed is not in the home. */
  | 'ERR_TRUST_KEY_OFFLINE'
  /** A seed file of the home contains another key's seed. */
  | 'ERR_TRUST_KEY_MISMATCH'
  /** The parts of an adopted trust domain do not match each other. */
  | 'ERR_TRUST_ADOPT'
  /** Another command is changing the home. */
  | 'ERR_TRUST_LOCKED'
  /** There is no signing key with this public key, or it cannot be removed. */
  | 'ERR_TRUST_SIGNING_KEY'
  /** The permissions are not valid in a template, or would allow everything. */
  | 'ERR_TRUST_PERMISSIONS'
  /** The given name or key matches nothing to revoke. */
  | 'ERR_TRUST_NOTHING_TO_REVOKE'
  /** The revocation would also lock out the master and the admin of this home. */
  | 'ERR_TRUST_REVOKES_MASTER'
  /** The account JWT would exceed the servers' limit. */
  | 'ERR_TRUST_ACCOUNT_TOO_LARGE'
  /** The directory for the identity seeds cannot be used. */
  | 'ERR_TRUST_EXPORT'
  /** No master has this name, or one already has it, or it cannot be removed. */
  | 'ERR_TRUST_MASTER'
  /** An admin with this name already exists, or none does. */
  | 'ERR_TRUST_ADMIN'
  /** Not an invitation for a master, or no longer one. */
  | 'ERR_TRUST_INVITE'
  /** The invitation has expired. */
  | 'ERR_TRUST_INVITE_EXPIRED'
  /** The directory for a new home is not empty. */
  | 'ERR_TRUST_HOME_IN_USE'
  /** An option is unknown or invalid. */
  | 'ERR_TRUST_OPTIONS';

/** The trust domain in a home cannot be created or used. `path` says which home, or which of its files. */
export class TrustError extends ZesterError {
  declare readonly code: TrustErrorCode;
  override readonly name = 'TrustError';
  /** The home, or its file. */
  readonly path: string;

  constructor(code: TrustErrorCode, path: string, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
    this.path = redactSeeds(path);
  }
}

/** The codes of {@link NatsServerError}. */
export type NatsServerErrorCode =
  /** The cluster's nats-server version loses writes, so it cannot store a fleet's state. */
  | 'ERR_SERVER_TOO_OLD'
  /** There is no `nats-server` program on this machine. */
  | 'ERR_NATS_SERVER_NOT_FOUND'
  /** It exited at its start, or did not become ready in time. */
  | 'ERR_NATS_SERVER_START'
  /** It exited unexpectedly. */
  | 'ERR_NATS_SERVER_ENDED'
  /** The options do not make a valid configuration. */
  | 'ERR_NATS_SERVER_OPTIONS'
  /** There are no credentials for the system account. */
  | 'ERR_NATS_SERVER_NO_SYSTEM_CREDS'
  /** It refused the credentials: it trusts another operator, or they expired. */
  | 'ERR_NATS_SERVER_REFUSED'
  /** It does not answer. */
  | 'ERR_NATS_SERVER_UNREACHABLE'
  /** The user does not belong to the system account. */
  | 'ERR_NATS_SERVER_NOT_SYSTEM'
  /** Its resolver accepts no account JWTs (`MEMORY`). */
  | 'ERR_NATS_SERVER_RESOLVER'
  /** It refused the account JWT. */
  | 'ERR_NATS_SERVER_PUSH_REFUSED'
  /** Some servers of the cluster confirmed, others did not. */
  | 'ERR_NATS_SERVER_PUSH_INCOMPLETE'
  /** Servers do not know a signing key of the operator yet. */
  | 'ERR_NATS_SERVER_OPERATOR_OUTDATED';

/** The `nats-server` program is missing, or a server fails or refuses a request. */
export class NatsServerError extends ZesterError {
  declare readonly code: NatsServerErrorCode;
  override readonly name = 'NatsServerError';

  constructor(code: NatsServerErrorCode, message: string, options?: ZesterErrorOptions) {
    super(code, message, options);
  }
}

/** The codes of {@link BackupError}. */
export type BackupErrorCode =
  /** Not a backup, or one that is truncated or was changed. */
  | 'ERR_BACKUP_DAMAGED'
  /** The identity is invalid, or does not decrypt the backup. */
  | 'ERR_BACKUP_IDENTITY'
  /** A newer version of Zester made the backup. */
  | 'ERR_BACKUP_VERSION'
  /** The backup and the home belong to different trust domains. */
  | 'ERR_BACKUP_OTHER_TRUST'
  /** The home is not empty and has no trust domain: nothing is overwritten. */
  | 'ERR_BACKUP_HOME';

/** A backup cannot be created or restored. `path` says which file. */
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
  /** Some rows were invalid or could not be delivered; the others are done. */
  | 'ERR_BULK_INCOMPLETE'
  /** A row of the list of peels is invalid. */
  | 'ERR_BULK_ROW'
  /** A credential could not be delivered. */
  | 'ERR_BULK_DELIVERY'
  /** The list of peels, or the journal, is invalid. */
  | 'ERR_BULK_INPUT'
  /** The reader of standard output closed it. */
  | 'ERR_BULK_OUTPUT_CLOSED';

/** A bulk issue failed, or did not deliver all credentials. */
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
  /** The request is invalid. */
  | 'ERR_FLEET_REQUEST'
  /** A label or a label selector is invalid, or there are too many labels. */
  | 'ERR_FLEET_LABEL'
  /** An answer is invalid, or is not signed by a master. */
  | 'ERR_FLEET_ANSWER'
  /** The caller is not authorized for this request. */
  | 'ERR_FLEET_DENIED'
  /** Too many requests from one user. */
  | 'ERR_FLEET_RATE'
  /** A request's reply subject is not below the caller's own inbox. */
  | 'ERR_FLEET_REPLY'
  /** The registry has no peel with this ID. */
  | 'ERR_FLEET_UNKNOWN_PEEL'
  /** The ID belongs to another key. */
  | 'ERR_FLEET_ID_TAKEN'
  /** The public key belongs to another peel, or to a join token. */
  | 'ERR_FLEET_KEY_TAKEN'
  /** The peel has no such key. */
  | 'ERR_FLEET_KEY_UNKNOWN'
  /** Waiting for an admin's decision. */
  | 'ERR_FLEET_PENDING'
  /** The policy function of a master threw, timed out, or returned no decision: the peel is pending. */
  | 'ERR_FLEET_POLICY'
  | 'ERR_FLEET_REJECTED'
  | 'ERR_FLEET_REVOKED'
  /** A JWT was used before the time at which it claims to be issued. */
  | 'ERR_FLEET_ISSUED_AHEAD'
  /** The request does not fit the state of the peel. */
  | 'ERR_FLEET_STATE'
  /** No such join token, or a removed one. */
  | 'ERR_FLEET_TOKEN_UNKNOWN'
  | 'ERR_FLEET_TOKEN_EXPIRED'
  | 'ERR_FLEET_TOKEN_USED_UP'
  /** The join token does not allow this ID. */
  | 'ERR_FLEET_TOKEN_ID'
  /** The masters do not let this peel recover: their policy forbids it, or its credential expired too long ago. */
  | 'ERR_FLEET_RECOVERY'
  /** A copy of the peel's credential was used: the peel is revoked until an admin decides. */
  | 'ERR_FLEET_CLONED'
  /** No master gave this challenge to this user, or it was used or has expired. */
  | 'ERR_FLEET_CHALLENGE'
  /** The signature does not prove that the caller holds the key. */
  | 'ERR_FLEET_PROOF'
  /** By the master's clock, an admin's request was signed too long ago or in the future. */
  | 'ERR_FLEET_CLOCK'
  /** A replay of an admin's request that a master has already accepted. */
  | 'ERR_FLEET_REPLAY'
  /** The servers have no JetStream, or it does not answer. */
  | 'ERR_FLEET_STORE'
  /** A started master is not healthy in time: its connection is down, or no master follows the servers' events. */
  | 'ERR_FLEET_NOT_READY'
  /** A record or an event in JetStream is invalid. */
  | 'ERR_FLEET_RECORD'
  /** Decided, but not yet confirmed by every server; the master keeps trying. */
  | 'ERR_FLEET_UNCONFIRMED'
  /** The master lacks a key that this needs. */
  | 'ERR_FLEET_KEY_OFFLINE'
  /** A master could not judge the connection, and therefore cut it. */
  | 'ERR_FLEET_UNJUDGED'
  /** The key in the JWT of a connection differs from the user key that it gave the server. */
  | 'ERR_FLEET_OTHER_KEY'
  /** A leafnode connects with the credential of a peel or of a join token. */
  | 'ERR_FLEET_LEAFNODE'
  /** The peel has no handler with this name. */
  | 'ERR_FLEET_NO_HANDLER'
  /** The peel's handler failed. */
  | 'ERR_FLEET_HANDLER'
  /** Some peels did not answer, or failed. */
  | 'ERR_FLEET_INCOMPLETE'
  /** A configuration file or variable is invalid. */
  | 'ERR_FLEET_CONFIG'
  /** An unexpected failure in the master; see its log. */
  | 'ERR_FLEET_INTERNAL';

/** A request between masters, peels and admins was refused or failed, or their state is invalid. */
export class FleetError extends ZesterError {
  declare readonly code: FleetErrorCode;
  override readonly name = 'FleetError';
  /** The refusal is signed by a master, and a retry will not change it. */
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
  /** The token, session or link is missing, unknown, used or expired. */
  | 'ERR_API_AUTH'
  /** The request comes from a page of another site. */
  | 'ERR_API_ORIGIN'
  /** The resource does not exist. */
  | 'ERR_API_NOT_FOUND'
  /** The resource does not have this method. */
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

/** The command line is wrong; the CLI exits with 2. */
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
  /** The exit code of the command: that of the findings, if all of them have the same. */
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super('ERR_FINDINGS', message);
    this.exitCode = exitCode;
  }
}

/** An expectation that a command demonstrates did not hold (`zester demo`). */
export class ExpectationError extends ZesterError {
  declare readonly code: 'ERR_EXPECTATION';
  override readonly name = 'ExpectationError';

  constructor(message: string, options?: ZesterErrorOptions) {
    super('ERR_EXPECTATION', message, options);
  }
}

/** A signal (Ctrl-C) interrupted a command before it was done; it has cleaned up. */
export class InterruptedError extends ZesterError {
  declare readonly code: 'ERR_INTERRUPTED';
  override readonly name = 'InterruptedError';
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP';

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', message: string) {
    super('ERR_INTERRUPTED', message);
    this.signal = signal;
  }
}

/** Every error code. The traits of each are in `error-traits.ts`. */
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
 * Whether a caught value is an error of this library, or of another copy of it in the same program.
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
