// Reads a fleet's registry with the credentials of a home.
import type { KnownCredentials } from './key-use.js';
import type { KeyUse } from '../trust/keys/key-removal.js';
import type { PeelRecord } from '../protocol/records/record.js';
import type { RegistryReader } from './registry-reader.js';
import type { RegisteredJwt } from '../account/revoke.js';
import type { SystemConnectionOptions } from '../system-account/system-connection.js';
import type { TrustDomain } from '../trust/domain.js';
import { CONNECT_ONCE_TIMEOUT_MS } from '../timing.js';

/** Connects as the home's master for as long as `act` takes. */
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

/** The record of a peel, as JetStream has it; undefined: there is none. No master needs to run. */
export function peelFromHome(
  domain: TrustDomain,
  at: Pick<SystemConnectionOptions, 'servers' | 'tls' | 'requireTls'>,
  peelId: string,
): Promise<PeelRecord | undefined> {
  return asMaster(domain, at, (reader) => reader.peel(peelId));
}

/** Every JWT that the registry has given out, of peels and of join tokens. No master needs to run. */
export async function jwtsFromHome(
  domain: TrustDomain,
  at: Pick<SystemConnectionOptions, 'servers' | 'tls' | 'requireTls'>,
): Promise<RegisteredJwt[]> {
  const { registeredJwts } = await import('./key-use.js');
  return asMaster(domain, at, async (reader) => registeredJwts(await reader.peels(), await reader.tokens()));
}

/** Every record of the registry, as JetStream has it. No master needs to run. */
export function peelsFromHome(
  domain: TrustDomain,
  at: Pick<SystemConnectionOptions, 'servers' | 'tls' | 'requireTls'>,
): Promise<PeelRecord[]> {
  return asMaster(domain, at, (reader) => reader.peels());
}

/**
 * What is known of the fleet's credentials: the registry, who is connected, and what the home issued.
 *
 * @throws what connecting and reading throw: then nothing is known, which is not the same as "none"
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

/** What depends on a signing key of the account; undefined: it signs neither peels nor join tokens. */
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
 * Tells the audit that a signing key was removed.
 *
 * @returns whether there is an audit
 * @throws FleetError `ERR_FLEET_STORE` when there is one and it does not take the event
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
