// Reads a fleet's registry with the credentials of a home.
import type { KnownCredentials } from './key-use.js';
import type { KeyUse } from '../trust/keys/key-removal.js';
import type { PeelRecord } from '../protocol/records/record.js';
import type { RegistryReader } from './registry-reader.js';
import type { RegisteredJwt } from '../account/revoke.js';
import type { SystemConnectionOptions } from '../system-account/system-connection.js';
import type { TrustDomain } from '../trust/domain.js';
import { CONNECT_ONCE_TIMEOUT_MS } from '../timing.js';

/** Connects as the home's master for the duration of `act`. */
async function asMaster<T>(
  domain: TrustDomain,
  at: Pick<SystemConnectionOptions, 'servers' | 'tls' | 'requireTls'>,
  act: (reader: RegistryReader) => Promise<T>,
): Promise<T> {
  const [{ connectMaster }, { tlsOf }, { RegistryReader: Reader }] = await Promise.all([
    import('../connection/connect.js'),
    import('../system-account/system-connection.js'),
    import('./registry-reader.js'),
  ]);
  const nc = await connectMaster({
    ...tlsOf(domain, at),
    servers: [...at.servers],
    credsPath: domain.paths.masterCreds,
    watch: false,
    timeout: CONNECT_ONCE_TIMEOUT_MS,
  });
  try {
    return await act(new Reader(nc));
  } finally {
    await nc.close();
  }
}

/** A peel's record in JetStream; undefined if there is none. No master needs to run. */
export function peelFromHome(
  domain: TrustDomain,
  at: Pick<SystemConnectionOptions, 'servers' | 'tls' | 'requireTls'>,
  peelId: string,
): Promise<PeelRecord | undefined> {
  return asMaster(domain, at, (reader) => reader.peel(peelId));
}

/** Every JWT in the registry, of peels and of join tokens. No master needs to run. */
export async function jwtsFromHome(
  domain: TrustDomain,
  at: Pick<SystemConnectionOptions, 'servers' | 'tls' | 'requireTls'>,
): Promise<RegisteredJwt[]> {
  const { registeredJwts } = await import('./key-use.js');
  return asMaster(domain, at, async (reader) => registeredJwts(await reader.peels(), await reader.tokens()));
}

/** Every record of the registry in JetStream. No master needs to run. */
export function peelsFromHome(
  domain: TrustDomain,
  at: Pick<SystemConnectionOptions, 'servers' | 'tls' | 'requireTls'>,
): Promise<PeelRecord[]> {
  return asMaster(domain, at, (reader) => reader.peels());
}

/**
 * The known credentials of the fleet: from the registry, the connections, and the home's list.
 *
 * @throws errors of connecting and reading: the credentials are then unknown, which is not "none"
 */
export async function knownCredentials(
  domain: TrustDomain,
  at: Pick<SystemConnectionOptions, 'servers' | 'tls' | 'requireTls'>,
  systemCreds?: SystemConnectionOptions['systemCreds'],
): Promise<KnownCredentials> {
  const [{ connectSystem }, { connectedUsers, keyOfUser }, { readIssued }, { userIssuerOf }] =
    await Promise.all([
      import('../system-account/system-connection.js'),
      import('../system-account/connected-users.js'),
      import('../trust/issued.js'),
      import('../jwt/decode.js'),
    ]);
  const system = await connectSystem(domain, { ...at, ...(systemCreds !== undefined && { systemCreds }) });
  try {
    const { users } = await connectedUsers(system, domain.publicKeys.account);
    const [records, tokens] = await asMaster(domain, at, (reader) =>
      Promise.all([reader.peels(), reader.tokens()]),
    );
    return {
      records,
      tokens,
      connected: users.map((user) => ({
        name: user.name,
        publicKey: keyOfUser(user),
        issuer: user.jwt === undefined ? undefined : userIssuerOf(user.jwt),
      })),
      issued: await readIssued(domain.paths.issued),
      revocations: domain.accountClaims.nats.revocations ?? {},
    };
  } finally {
    await system.close();
  }
}

/** The dependents of a signing key of the account; undefined: it signs neither peels nor join tokens. */
export async function useOfKey(
  domain: TrustDomain,
  publicKey: string,
  known: KnownCredentials,
  nowMs: number,
): Promise<KeyUse | undefined> {
  const [{ joinKeyUse, peelKeyUse }, { kindOfSigningKey }] = await Promise.all([
    import('./key-use.js'),
    import('../trust/keys/signing-keys.js'),
  ]);
  const { peelSigning, joinSigning } = domain.publicKeys;
  switch (kindOfSigningKey(domain.accountClaims, publicKey, peelSigning)) {
    case 'peel-signing':
      return peelKeyUse(publicKey, known, nowMs / 1000);
    case 'join-signing': {
      const since = joinSigning === undefined ? undefined : domain.settings.keysAdded?.[joinSigning];
      const until = joinSigning === publicKey || since === undefined ? undefined : Date.parse(since);
      return joinKeyUse(publicKey, known, until, nowMs);
    }
    case undefined:
      return undefined;
  }
}

/**
 * Audits the removal of a signing key.
 *
 * @returns whether there is an audit log
 * @throws FleetError `ERR_FLEET_STORE` when there is one but it does not store the event
 */
export async function auditKeyRemoved(
  domain: TrustDomain,
  at: Pick<SystemConnectionOptions, 'servers' | 'tls' | 'requireTls'>,
  publicKey: string,
  detail: Record<string, string | number | boolean>,
  by: string,
): Promise<boolean> {
  return asMaster(domain, at, async (reader) =>
    reader.audit({
      kind: 'signing-key.removed',
      by: { kind: 'admin', name: by },
      publicKey,
      detail,
    }),
  );
}
