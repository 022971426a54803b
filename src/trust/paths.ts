// The paths of the files in a home.
import { join, resolve } from 'node:path';

/** The files of a trust domain. All paths are absolute. */
export interface TrustPaths {
  home: string;
  /** Names, public keys, and the layout version; no secret. */
  settings: string;
  jwtDirectory: string;
  operatorJwt: string;
  systemAccountJwt: string;
  accountJwt: string;
  /** The most recent replaced account JWTs. */
  replacedJwtDirectory: string;
  keysDirectory: string;
  operatorSeed: string;
  operatorSigningSeed: string;
  accountSeed: string;
  peelSigningSeed: string;
  /** Missing in a home that predates join tokens. */
  joinSigningSeed: string;
  /**
   * The home's own signing key of the system account; may be missing in a home that does not come from an invitation.
   */
  systemSigningSeed: string;
  /** The keys that sign the home's own master and admin; missing if the home's credentials do not expire. */
  masterSigningSeed: string;
  answersSigningSeed: string;
  adminSigningSeed: string;
  credsDirectory: string;
  masterCreds: string;
  /** Missing in a home that predates the masters' user for answers. */
  masterAnswersCreds: string;
  /** Missing in a home that comes from an invitation. */
  adminCreds: string;
  systemCreds: string;
  /** The public keys of peels issued from this home; no secret. */
  issued: string;
  /** The added admins; no secret. */
  admins: string;
  /** Only if Zester runs the server. */
  serverDirectory: string;
  serverConfiguration: string;
  /** The log of the server that Zester runs; the previous one has the suffix `.1`. */
  serverLog: string;
  serverJwtDirectory: string;
  serverJetStreamDirectory: string;
}

/** The kinds of rotated keys, as in their file names. */
export type SigningKeyKind = 'operator-signing' | AccountKeyKind;

/** The account's kinds of rotated keys, both scoped. */
export type AccountKeyKind = 'peel-signing' | 'join-signing';

/**
 * The path of the seed of a signing key that was added after `init`, which has the public key in its file name.
 */
export function addedSeedPath(paths: TrustPaths, kind: SigningKeyKind, publicKey: string): string {
  return join(paths.keysDirectory, `${kind}.${publicKey}.seed`);
}

/** The file of the home with the digests of the HTTP interface's tokens. */
export const API_TOKENS_FILE = 'api-tokens.json';

/** The path of the seed of the first signing key of a kind. */
export function firstSeedPath(paths: TrustPaths, kind: SigningKeyKind): string {
  switch (kind) {
    case 'operator-signing':
      return paths.operatorSigningSeed;
    case 'peel-signing':
      return paths.peelSigningSeed;
    case 'join-signing':
      return paths.joinSigningSeed;
  }
}

/** The paths of the trust domain in a home. */
export function trustPaths(home: string): TrustPaths {
  const root = resolve(home);
  const jwtDirectory = join(root, 'jwt');
  const keysDirectory = join(root, 'keys');
  const credsDirectory = join(root, 'creds');
  const serverDirectory = join(root, 'nats-server');
  return {
    home: root,
    settings: join(root, 'zester.json'),
    jwtDirectory,
    operatorJwt: join(jwtDirectory, 'operator.jwt'),
    systemAccountJwt: join(jwtDirectory, 'system.jwt'),
    accountJwt: join(jwtDirectory, 'account.jwt'),
    replacedJwtDirectory: join(jwtDirectory, 'replaced'),
    keysDirectory,
    operatorSeed: join(keysDirectory, 'operator.seed'),
    operatorSigningSeed: join(keysDirectory, 'operator-signing.seed'),
    accountSeed: join(keysDirectory, 'account.seed'),
    peelSigningSeed: join(keysDirectory, 'peel-signing.seed'),
    joinSigningSeed: join(keysDirectory, 'join-signing.seed'),
    systemSigningSeed: join(keysDirectory, 'system-signing.seed'),
    masterSigningSeed: join(keysDirectory, 'master-signing.seed'),
    answersSigningSeed: join(keysDirectory, 'answers-signing.seed'),
    adminSigningSeed: join(keysDirectory, 'admin-signing.seed'),
    credsDirectory,
    masterCreds: join(credsDirectory, 'master.creds'),
    masterAnswersCreds: join(credsDirectory, 'master-answers.creds'),
    adminCreds: join(credsDirectory, 'admin.creds'),
    systemCreds: join(credsDirectory, 'system.creds'),
    issued: join(root, 'issued.ndjson'),
    admins: join(root, 'admins.json'),
    serverDirectory,
    serverConfiguration: join(serverDirectory, 'nats-server.conf'),
    serverLog: join(serverDirectory, 'nats-server.log'),
    serverJwtDirectory: join(serverDirectory, 'jwt'),
    serverJetStreamDirectory: join(serverDirectory, 'jetstream'),
  };
}
