// Decides which connected keys were never issued.
import type { ConnectedUser } from '../../system-account/connected-users.js';
import type { Finding } from '../../trust/finding.js';
import { fingerprint } from '../../protocol/fingerprint.js';
import { excerpt } from '../../text/excerpt.js';
import { shellWord } from '../../text/shell-word.js';

/** The status of a key; undefined: no record of its being issued. */
export type KeyKnown = 'issued' | 'revoked' | undefined;

/** Finds connected users whose key is revoked, or unknown to the home and the registry. */
export function judgeUsers(
  users: readonly ConnectedUser[],
  known: (publicKey: string) => KeyKnown,
): Finding[] {
  const findings = new Map<string, Finding>();
  for (const { name, publicKey, host = 'an unknown address', serverName, server } of users) {
    const is = known(publicKey);
    if (is === 'issued' || findings.has(publicKey)) continue;
    const word = shellWord(publicKey);
    const where = `connected from ${host} to ${serverName ?? server} as "${excerpt(name, 128)}"`;
    findings.set(publicKey, {
      severity: 'error',
      check: 'connection',
      subject: publicKey,
      message:
        is === 'revoked'
          ? `a revoked key (${fingerprint(publicKey)}) is ${where}`
          : `a key that was never issued, according to this home and the registry (${fingerprint(publicKey)}), is ${where}`,
      fix: `if it is not yours, run "zester revoke --key ${word}" and replace the signing key that signed it; otherwise pass --known-key ${word}`,
    });
  }
  return [...findings.values()];
}
