// A master's context in memory, for tests of its watch: a real registry and real JWTs, and no server.
import type { AuditEntry } from '../../../src/master/audit/audit-log.js';
import { decodeAccountJwt } from '../../../src/jwt/decode.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { MasterMetrics } from '../../../src/master/metrics.js';
import { PresenceView } from '../../../src/master/presence/presence-view.js';
import { Registry, type Decision, type RegistryAudit } from '../../../src/master/registry/registry.js';
import type { PolicyDecision } from '../../../src/master/requests/policy.js';
import type { UserConnection } from '../../../src/master/watch/system-events.js';
import type { WatcherContext } from '../../../src/master/watch/watcher.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { PEEL_ROLE, peelPermissionsTemplate, peelUserJwtOptions } from '../../../src/permissions/roles.js';
import type { JoinToken } from '../../../src/protocol/records/join-token.js';
import { keptLog } from '../../support/kept-log.js';
import { MemoryBucket } from '../../support/memory-bucket.js';
import { createTestTrust } from '../../support/trust.js';

const trust = createTestTrust();
const account = trust.account.key.publicKey;
const peelKey = {
  publicKey: trust.peelSigner.publicKey,
  role: PEEL_ROLE,
  permissions: peelPermissionsTemplate(),
};
const issuer = peelKey.publicKey;
const accountJwt = trust.accountJwtWith({ signingKeys: [peelKey] });

/** A connection of a peel, with a JWT that the peel signing key signed. */
export function peelConnection(name: string, cid = 1, user = generateKeyBundle('user')): UserConnection {
  const options = { ...peelUserJwtOptions('web-1', account, { scoped: true, expiry: 600 }), name };
  return {
    server: 'N1',
    serverName: 'n1',
    cid,
    name,
    publicKey: user.publicKey,
    jwt: createUserJwt(user, trust.peelSigner, options),
    host: '10.0.0.7',
    since: new Date().toISOString(),
    kind: 'Client',
  };
}

/** The decision that issues a peel the key of a connection. */
export function issuing({ publicKey }: UserConnection): Decision {
  const issuedAt = Math.floor(Date.now() / 1000);
  return {
    change: { kind: 'key.issued', key: { publicKey, issuer, issuedAt } },
    by: { kind: 'admin', name: 'zester-admin' },
  };
}

/** A context, and its writes. */
export async function watchContext(policy: () => Promise<PolicyDecision> = async () => 'pending') {
  const events: AuditEntry[] = [];
  const { logger, lines } = keptLog();
  const bucket = new MemoryBucket();
  let ids = 0;
  const registryAudit = {
    complete: (entry: object) => ({ ...entry, id: `event-${++ids}`, at: '2030-01-01T00:00:00.000Z' }),
    decided: (event: AuditEntry) => void events.push(event),
    publishUnseen: () => undefined,
    expect: () => undefined,
  } as unknown as RegistryAudit;
  const registry = await Registry.open(bucket.kv, registryAudit, logger);
  const changes: { trust: () => void; token: (id: string, token: JoinToken) => void } = {
    trust: () => undefined,
    token: () => undefined,
  };
  const claims = structuredClone(decodeAccountJwt(accountJwt));
  const context = {
    actor: { kind: 'master', name: 'm1' },
    logger,
    now: Date.now,
    breaker: { peels: 3, share: 0.02, windowMs: 60_000 },
    store: { challenges: new MemoryBucket().kv },
    registry,
    tokens: {
      get: () => undefined,
      onChange: (listener: typeof changes.token) => {
        changes.token = listener;
        return () => undefined;
      },
    },
    trust: {
      domain: {
        operatorJwt: trust.operatorJwt,
        accountJwt,
        accountClaims: claims,
        publicKeys: { account, peelSigning: issuer },
      },
      claims,
      reload: async () => undefined,
      onChange: (listener: () => void) => {
        changes.trust = listener;
        return () => undefined;
      },
    },
    policy: { name: 'custom', isNamed: true, ask: policy },
    presence: new PresenceView(),
    audit: { note: (entry: AuditEntry) => void events.push(entry) },
    metrics: new MasterMetrics(),
  };
  const kinds = () => events.map(({ kind }) => kind);
  return {
    context: context as unknown as WatcherContext,
    registry,
    bucket,
    events,
    kinds,
    lines,
    changes,
    claims,
  };
}
