// Decides the findings about masters, peels and signing keys.
import type { Finding } from '../trust/finding.js';
import type { KnownCredentials } from '../fleet-client/key-use.js';
import { currentKey, isAccepted, type PeelRecord } from '../protocol/records/record.js';

/** The maximum number of peels and keys that a finding names; the others are counted. */
const NAMED = 5;

/** The input of {@link judgeFleet}. */
export interface FleetSeen extends Pick<KnownCredentials, 'records' | 'connected'> {
  /** The keys that may sign users of the account: its own key, and its signing keys. */
  signers: ReadonlySet<string>;
}

/**
 * Judges a fleet by its registry and its connections: pending peels, expired credentials, and live credentials
 * whose signing key the account does not trust. Time and memory are linear in the number of keys.
 *
 * @param nowSeconds seconds since 1970
 */
export function judgeFleet({ records, connected, signers }: FleetSeen, nowSeconds: number): Finding[] {
  const findings: Finding[] = [];
  const pending = records.filter(({ state }) => state === 'pending').map(({ id }) => id);
  if (pending.length > 0) {
    findings.push({
      severity: 'warning',
      check: 'pending',
      subject: 'registry',
      message: `${counted(pending, 'peel is pending', 'peels are pending')}`,
      fix: 'run "zester peel accept ID" or "zester peel reject ID"',
    });
  }
  const expired = records.filter((record) => hasExpired(record, nowSeconds)).map(({ id }) => id);
  if (expired.length > 0) {
    findings.push({
      severity: 'warning',
      check: 'expired',
      subject: 'registry',
      message: `the credentials of ${counted(expired, 'peel', 'peels')} have expired and cannot be renewed`,
      fix: 'issue new ones with "zester peel add ID --replace", or revoke peels you no longer need with "zester peel revoke ID"',
    });
  }
  findings.push(...untrusted({ records, connected, signers }, nowSeconds));
  if (findings.length > 0) return findings;
  const accepted = records.filter(isAccepted).length;
  return [
    {
      severity: 'ok',
      check: 'peels',
      subject: 'registry',
      message: `${accepted} accepted, none pending or expired; the account trusts every key that signed them`,
    },
  ];
}

function hasExpired(record: PeelRecord, now: number): boolean {
  const expiresAt = isAccepted(record) ? currentKey(record)?.expiresAt : undefined;
  return expiresAt !== undefined && expiresAt <= now;
}

/**
 * Signing keys in use that are not, or no longer, in the account: servers refuse their credentials at the next
 * connect.
 */
function untrusted({ records, connected, signers }: FleetSeen, now: number): Finding[] {
  const users = new Map<string, Set<string>>();
  const add = (issuer: string | undefined, who: string) => {
    if (issuer === undefined || signers.has(issuer)) return;
    users.set(issuer, (users.get(issuer) ?? new Set()).add(who));
  };
  const names = new Map<string, string>();
  for (const record of records) {
    const current = isAccepted(record) ? currentKey(record) : undefined;
    for (const { publicKey } of record.keys) names.set(publicKey, record.id);
    if (current !== undefined && (current.expiresAt === undefined || current.expiresAt > now))
      add(current.issuer, record.id);
  }
  for (const { publicKey, issuer } of connected) add(issuer, names.get(publicKey) ?? publicKey);
  return [...users].map(([issuer, who]) => ({
    severity: 'error',
    check: 'signer',
    subject: issuer,
    message: `the account does not trust the signing key ${issuer}, which signed ${counted([...who], 'credential', 'credentials')} in use: servers no longer accept them`,
    fix: 'issue new ones with "zester peel add ID --replace"; if the key was removed by mistake, restore its account JWT from jwt/replaced/',
  }));
}

/** "3 peels (a, b, c)", with only a few names. */
function counted(names: readonly string[], one: string, many: string): string {
  const shown = [...names].sort().slice(0, NAMED).join(', ');
  const more = names.length > NAMED ? ', …' : '';
  return `${names.length} ${names.length === 1 ? one : many} (${shown}${more})`;
}
