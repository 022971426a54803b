// Formats the home's renewed credentials, as text and for `--json`.
import type { RenewedCreds } from '../../trust/own-creds.js';
import { timeWords } from '../terminal/time-words.js';

type Renewed = Omit<RenewedCreds, 'expiresAt' | 'replaced'> & { expiresAt: number | undefined };

export function renewedLine({ path, expiresAt }: Renewed, now: number): string {
  return `${path}: ${expiresAt === undefined ? 'does not expire' : `expires ${timeWords(expiresAt, now)}`}`;
}

export function renewedDocument({ user, path, publicKey, expiresAt }: Renewed): object {
  return {
    user,
    path,
    publicKey,
    expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
  };
}
