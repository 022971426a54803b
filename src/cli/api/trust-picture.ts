// The trust hierarchy of a home, as nodes and their parents.
import { decodeAccountJwt, decodeOperatorJwt } from '../../jwt/decode.js';
import { expiryTime } from '../../jwt/expiry.js';
import { loadCredsFile } from '../../creds/parse.js';
import { ZesterError } from '../../errors.js';
import type { TrustDomain } from '../../trust/domain.js';
import { listKeys, type KeyEntry } from '../../trust/keys/key-list.js';

/** One key, JWT or credential of the hierarchy. */
export interface TrustNode {
  kind: 'operator' | 'operator-signing' | 'account' | 'system-account' | 'signing-key' | 'user';
  name: string;
  publicKey: string;
  /** The public key of its parent node. */
  parent: string | null;
  /** ISO 8601; null: it does not expire, or is a key without a JWT of its own. */
  expiresAt: string | null;
  /** Whether it is in use for new signatures. */
  current: boolean;
}

/** The operator, its accounts, their signing keys, and the home's own users. Secrets are read only for checks. */
export async function trustPicture(domain: TrustDomain): Promise<TrustNode[]> {
  const operator = decodeOperatorJwt(domain.operatorJwt);
  const account = decodeAccountJwt(domain.accountJwt);
  const system = decodeAccountJwt(domain.systemAccountJwt);
  const keys = await listKeys(domain);
  return [
    node('operator', operator.name ?? 'operator', operator.sub, null, operator),
    ...keys
      .filter(({ role }) => role === 'operator signing')
      .map((key) => keyNode('operator-signing', key, operator.sub)),
    node('account', account.name ?? 'account', account.sub, account.iss, account),
    node('system-account', system.name ?? 'system account', system.sub, system.iss, system),
    ...keys.filter(isOfAccount).map((key) => keyNode('signing-key', key, account.sub)),
    ...(await users(domain)),
  ];
}

function isOfAccount({ role }: KeyEntry): boolean {
  return role.endsWith('signing') && role !== 'operator signing';
}

function keyNode(kind: TrustNode['kind'], key: KeyEntry, parent: string): TrustNode {
  const { role, publicKey, current, master } = key;
  return {
    kind,
    name: master === undefined ? role : `${role} of ${master}`,
    publicKey,
    parent,
    expiresAt: null,
    current,
  };
}

/** The users of the home's credentials. Doctor reports unreadable ones. */
async function users({ paths }: TrustDomain): Promise<TrustNode[]> {
  const nodes: TrustNode[] = [];
  for (const path of [paths.masterCreds, paths.masterAnswersCreds, paths.adminCreds, paths.systemCreds]) {
    try {
      const creds = await loadCredsFile(path);
      creds.wipe();
      const { claims, publicKey } = creds;
      nodes.push(node('user', claims.name ?? '', publicKey, claims.iss, claims));
    } catch (error) {
      if (!(error instanceof ZesterError)) throw error;
    }
  }
  return nodes;
}

function node(
  kind: TrustNode['kind'],
  name: string,
  publicKey: string,
  parent: string | null,
  claims: Parameters<typeof expiryTime>[0],
): TrustNode {
  const at = expiryTime(claims);
  return {
    kind,
    name,
    publicKey,
    parent,
    expiresAt: at === undefined ? null : new Date(at).toISOString(),
    current: true,
  };
}
