// The public API of `zester`: keys, JWTs, credentials files and connections.

/**
 * Zester's library: keys, JWTs, credentials files and connections of a fleet on NATS. Importing it starts nothing.
 *
 * @packageDocumentation
 * @module zester
 */
export * from './errors.js';

export { ROLES, type KeyKind, type Role } from './nkeys/roles.js';
export { generateKeyBundle, KeyBundle, loadKeyBundle, publicKeyFromSeed } from './nkeys/key-bundle.js';
export { CurveKey, generateCurveKey, loadCurveKey } from './nkeys/curve.js';
export { validatePublicKey } from './nkeys/validate.js';

export type * from './jwt/claims.js';
export type {
  ConnectionType,
  PermissionOptions,
  ResponseOptions,
  SubjectLists,
  UserLimitOptions,
} from './jwt/permission-options.js';
export type { Clock } from './jwt/time.js';
export type { ValidityOptions } from './jwt/validity.js';
export { createOperatorJwt, type OperatorJwtOptions } from './jwt/operator.js';
export {
  createAccountJwt,
  type AccountJwtOptions,
  type AccountLimitOptions,
  type JetStreamLimitOptions,
  type ScopedSigningKey,
} from './jwt/account.js';
export {
  createUserJwt,
  createUserJwtForPublicKey,
  MAX_USER_JWT_BYTES,
  type UserJwtOptions,
} from './jwt/user.js';
export { reviseOperatorJwt, type OperatorRevision } from './jwt/revise-operator.js';
export { reviseAccountJwt, type AccountRevision, type SigningKeyOption } from './jwt/revise-account.js';
export { reviseUserJwt, type UserRevision } from './jwt/revise-user.js';
export type { ListRevision, Revision } from './jwt/revise.js';
export { decodeAccountJwt, decodeOperatorJwt, decodeUserJwt } from './jwt/decode.js';
export { isRevoked, validateJwtChain, type JwtChain } from './jwt/chain.js';
export { generateFullHierarchy, type FullHierarchy, type HierarchyNames } from './jwt/hierarchy.js';

export { isPeelId, validatePeelId } from './permissions/peel-id.js';
export { subjectCovers, validateSubject, type SubjectRules } from './permissions/subject.js';
export type { AddedRole } from './permissions/admin-roles.js';
export { ADMIN_INBOX_PREFIX, MASTER_INBOX_PREFIX, peelInboxPrefix } from './permissions/names.js';
export {
  consumerRead,
  kvRead,
  kvWrite,
  objectStoreRead,
  objectStoreWrite,
  streamPublish,
  streamRead,
  type ConsumerPreset,
  type KvPreset,
  type KvReadPreset,
  type ObjectStorePreset,
  type StreamReadPreset,
} from './permissions/presets.js';
export { extendPermissions, type RolePermissions } from './permissions/role-permissions.js';
export {
  adminPermissions,
  adminUserJwtOptions,
  type AdminUserJwtOptions,
  type NamedAdmin,
  masterPermissions,
  masterUserJwtOptions,
  PEEL_CONNECTION_TYPES,
  peelLimits,
  peelPermissions,
  peelPermissionsTemplate,
  peelUserJwtOptions,
  type PeelJwtOptions,
  type RoleUserJwtOptions,
} from './permissions/roles.js';

export { answerBelow, type AnswerOptions } from './protocol/answer.js';
export { judgeReply, type ReplyVerdict } from './protocol/reply-subject.js';

export {
  bootstrapPeelCreds,
  type BootstrapPeel,
  type BootstrapPeelOptions,
  type BootstrappedPeel,
} from './creds/bootstrap.js';
export type { PeelCredential } from './provision/issue-batch.js';
export type { IssuePeelOptions } from './provision/issue-options.js';
export { issuePeelCredentials } from './provision/issue-peel-credentials.js';
export type { CredentialEvent } from './creds/credential-event.js';
export type { CredentialProvider, ProvidedCredentials } from './creds/credential-provider.js';
export type {
  Credentials,
  CredentialsOption,
  SeedCredentials,
  UserCredentials,
} from './creds/credentials-option.js';
export { CredsFile } from './creds/creds-file.js';
export { defaultCredentials, type DefaultCredentialsOptions } from './creds/default-credentials.js';
export { fromEnv } from './creds/from-env.js';
export { MemoryCredentials } from './creds/memory-credentials.js';
export { generateCredsFile, writeCredsFile, type JwtAndSeed, type WriteCreds } from './creds/generate.js';
export type { WriteSecretFileOptions } from './files/write-secret-file.js';
export { loadJwtFile } from './creds/load-jwt-file.js';
export { loadKeyBundleFromFile } from './creds/load-key-bundle.js';
export type { NatsOptions } from './creds/nats-options.js';
export { MAX_CREDS_BYTES } from './creds/decode-creds.js';
export { loadCredsFile, parseCredsData, type NamedCredsData } from './creds/parse.js';

export type { ClientOptions } from './connection/check-options.js';
export { natsOptionsForMaster, natsOptionsForPeel, type PeelAndCredentials } from './connection/options.js';
export type { TlsOptions } from './connection/connect-plan.js';
export { natsOptionFromSeed } from './connection/seed-option.js';
export {
  connectMaster,
  connectPeel,
  type ConnectOptions,
  type ConnectPeelOptions,
  type ConnectSettings,
  type GivenClientOptions,
  type ZesterConnection,
} from './connection/connect.js';
export {
  DIAGNOSTICS_CHANNELS,
  type ConnectionMessage,
  type DiagnosedConnection,
  type RenewalMessage,
  type RotationMessage,
} from './connection/diagnostics.js';
export type { ConnectionEvent, ConnectionLogger } from './connection/events.js';
export { withReconnectBuffer, type ReconnectBufferOptions } from './connection/with-reconnect-buffer.js';

export type { AccountServers } from './account/account-servers.js';
export { fetchAccountJwt } from './account/fetch-account-jwt.js';
export { pushAccountJwt, type PushAccountOptions, type PushedAccount } from './account/push-account-jwt.js';
export type { PushReport } from './account/push-account.js';
export { revokeUsers, type RevokedUsers, type RevokeUsersOptions } from './account/revoke-users.js';

export { answerCommand, type CommandAnswer } from './protocol/answer-command.js';
export { requestPeel, type PeelRequest, type RequestPeelOptions } from './fleet-client/request-peel.js';

export { connectFleet, type ConnectFleetOptions } from './fleet-client/connect-fleet.js';
export type { Fleet } from './fleet-client/fleet.js';
export type {
  ExecCommand,
  ExecOptions,
  FleetPeels,
  LabelPeelOptions,
  ListPeelsOptions,
} from './fleet-client/fleet-peels.js';
export type { WaitingOptions } from './fleet-client/waiting-options.js';
export type { CreatedToken, CreateTokenOptions, FleetTokens } from './fleet-client/fleet-tokens.js';
export type { ReadAuditOptions } from './fleet-client/read-audit.js';
export type { PeelReply } from './fleet-client/command-peels.js';
export type {
  FleetStatus,
  HeldRevocations,
  PeelDetails,
  PeelRevocation,
  PeelRotation,
} from './protocol/fleet-answers.js';
export type { ListedPeel } from './protocol/messages.js';
export type { LabelChange, Labels } from './protocol/records/labels.js';
export type { Actor } from './protocol/records/actor.js';
export type {
  AuditEvent,
  AuditFacts,
  AuditRemarkKind,
  IssuedKey,
  PeelChange,
} from './protocol/records/audit-event.js';
export type { AuditQuery } from './protocol/records/audit-query.js';
export type { JoinToken } from './protocol/records/join-token.js';
export type { PeelConnection, Presence } from './protocol/records/presence.js';
export type { PeelKey, PeelKeyState, PeelRecord, PeelState } from './protocol/records/record.js';
