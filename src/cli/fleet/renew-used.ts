// Renews the home's credentials that a command uses.
import type { OwnUser } from '../../trust/own-creds.js';
import {
  OWN_CREDENTIALS_INTERVAL_MS,
  OWN_CREDENTIALS_LOCK_WAIT_MS,
  OWN_CREDENTIALS_MIN_WAIT_MS,
  OWN_CREDENTIALS_RETRY_MS,
} from '../../timing.js';
import type { CliIo } from '../terminal/io.js';

/**
 * Renews those that are due. An unwritable home or an offline key does not stop the command: the credentials may still
 * be valid for long, and if not, connecting fails.
 */
export async function renewUsed(home: string, users: readonly OwnUser[], io: CliIo): Promise<void> {
  const { renewOwnCreds } = await import('../../trust/own-creds.js');
  await renewOwnCreds(home, { users, now: io.now, waitMs: OWN_CREDENTIALS_LOCK_WAIT_MS }).catch(
    () => undefined,
  );
}

/** Goes on as {@link renewUsed} while a command runs: its connections move to the new files. @returns what ends it */
export function keepRenewed(home: string, users: readonly OwnUser[], io: CliIo): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const next = async () => {
    const { renewalOfOwnCreds } = await import('../../trust/own-creds.js');
    const due = await renewalOfOwnCreds(home, users).catch(() => 0);
    if (isOver) return;
    const wait = due <= io.now() ? OWN_CREDENTIALS_RETRY_MS : due - io.now();
    const ms = Math.max(OWN_CREDENTIALS_MIN_WAIT_MS, Math.min(OWN_CREDENTIALS_INTERVAL_MS, wait));
    timer = setTimeout(() => void renewUsed(home, users, io).then(next), ms).unref();
  };
  void next();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}
