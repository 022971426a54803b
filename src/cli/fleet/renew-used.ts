// Renews the home's credentials that a command is about to use.
import type { OwnUser } from '../../trust/own-creds.js';
import type { CliIo } from '../terminal/io.js';

/**
 * Renews those that are due. A home that cannot be written, or a key that is elsewhere, does not stop the command: the credentials
 * may be good for long, and if they are not, connecting says so.
 */
export async function renewUsed(home: string, users: readonly OwnUser[], io: CliIo): Promise<void> {
  const { renewOwnCreds } = await import('../../trust/own-creds.js');
  await renewOwnCreds(home, { users, now: io.now, waitMs: RENEW_WAIT_MS }).catch(() => undefined);
}

/** A command that holds the home's lock may be renewing them. */
const RENEW_WAIT_MS = 2_000;
