// Checks a whole backup, without writing anything.
import { accountsOf, type HeldJwt } from '../account/held-account.js';
import { AuditFold } from '../doctor/integrity/audit-fold.js';
import type { UserClaims } from '../jwt/claims.js';
import { isMasterIssuer } from '../trust/keys/signing-keys.js';
import { MASTER_NAME } from '../permissions/names.js';
import { damagedBackup, type BackupHeader, type BackupSummary } from './entries.js';
import { checkHome, isEssential } from './home-files.js';
import { readBackup } from './read-archive.js';

/** The result of {@link verifyBackup}. */
export interface VerifiedBackup {
  header: BackupHeader;
  summary: BackupSummary;
  /** The account JWTs of the home and the servers. */
  accounts: HeldJwt[];
  /** The digests of its entries, in their order: to recognize a file that was replaced since. */
  entries: readonly string[];
  /** Records that do not follow from the audit log: an event was lost, or the retention has deleted older events. */
  unexplained: { peelId: string; why: string }[];
}

/**
 * Checks that a backup is complete and unchanged, that a master of its account signed it, that its home can be opened,
 * and that records and audit log agree. Memory grows with the number of peels.
 *
 * @param identities from `readIdentities`
 * @throws BackupError; FileError
 */
export async function verifyBackup(
  path: string,
  identities: readonly string[],
  onBytes?: (read: number, size: number) => void,
): Promise<VerifiedBackup> {
  let header: BackupHeader | undefined;
  let summary: BackupSummary | undefined;
  let signer: UserClaims | undefined;
  const essential = new Map<string, Uint8Array>();
  const jwts: string[] = [];
  const entries: string[] = [];
  const records = new Map<string, { number: number; compare: (fold: AuditFold) => string | undefined }>();
  let fold = new AuditFold();
  const doubtful = new Set<string>();
  for await (const piece of readBackup(path, identities, onBytes, (digest) => entries.push(digest))) {
    switch (piece.is) {
      case 'header':
        header = piece.header;
        fold = new AuditFold({ trimmedBefore: header.auditTrimmedBefore });
        break;
      case 'file':
        if (isEssential(piece.path)) essential.set(piece.path, piece.content);
        break;
      case 'account':
        jwts.push(piece.jwt);
        break;
      case 'peel': {
        const { record, event } = piece.stored;
        const compare = (all: AuditFold) => all.compare(record.id, { record, eventId: event.id });
        records.set(piece.peelId, { number: record.number, compare });
        break;
      }
      case 'event':
        if (piece.event !== undefined) addTo(fold, piece.event, doubtful);
        break;
      case 'token':
        break;
      case 'end':
        summary = piece.summary;
        signer = piece.signer;
    }
  }
  if (header === undefined || summary === undefined) throw damagedBackup(path, 'it is cut off');
  checkHome(path, header, essential);
  const text = (name: string) =>
    Buffer.from(essential.get(name) ?? [])
      .toString('utf8')
      .trim();
  const own = text('jwt/account.jwt');
  const accounts = accountsOf({ operatorJwt: text('jwt/operator.jwt') }, header.account.publicKey, [
    own,
    ...jwts,
  ]);
  // the account JWTs come from the backup itself: enough, since the signature protects against damage, and age against
  // others
  const isMasters =
    signer?.name === MASTER_NAME &&
    (signer.iss === header.account.publicKey ||
      accounts.some(({ claims }) => isMasterIssuer(claims, signer?.iss ?? '')));
  if (!isMasters) throw damagedBackup(path, 'it is not signed by a master of its account');
  for (const content of essential.values()) content.fill(0);
  const unexplained = [...records].flatMap(([peelId, { compare }]) => {
    const why =
      compare(fold) ?? (doubtful.has(peelId) ? 'the audit log has two events of one number' : undefined);
    return why === undefined ? [] : [{ peelId, why }];
  });
  return { header, summary, accounts, entries, unexplained };
}

function addTo(fold: AuditFold, event: Parameters<AuditFold['add']>[0], doubtful: Set<string>): void {
  try {
    fold.add(event);
  } catch {
    doubtful.add(event.peelId ?? '');
  }
}
