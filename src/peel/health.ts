// Reports the health of a peel.
import type { PeelEvent } from './events.js';

/** The health of a peel. */
export interface PeelHealth {
  /** Whether there are no problems. */
  ok: boolean;
  /** Descriptions of the problems. */
  problems: string[];
  /** Whether its connection is up. */
  connected: boolean;
  /** Expiry of the credential in use, in milliseconds since 1970; undefined: it does not expire. */
  expiresAt: number | undefined;
  /** Running and waiting commands. */
  commands: number;
}

/** The facts about a peel that its health depends on. */
export interface PeelFactsOfHealth {
  /** Why it stopped; undefined: it runs. */
  end: string | undefined;
  connected: boolean;
  expiresAt: number | undefined;
  /** By the fleet's clock, in milliseconds since 1970. */
  now: number;
  commands: number;
  /** The last failure of a renewal, a rotation or a write that is being retried. */
  renewalFailure: string | undefined;
}

/** Judges a peel by its connection and its credential. */
export function peelHealth(facts: PeelFactsOfHealth): PeelHealth {
  const { end, connected, expiresAt, now, commands, renewalFailure } = facts;
  const problems: string[] = [];
  if (end !== undefined) problems.push(`the peel is over: ${end}`);
  else if (!connected) problems.push('the connection is down, and is being restored');
  if (expiresAt !== undefined && expiresAt <= now) problems.push('the credential has expired');
  if (renewalFailure !== undefined) problems.push(renewalFailure);
  return {
    ok: problems.length === 0,
    problems,
    connected: connected && end === undefined,
    expiresAt,
    commands,
  };
}

/** {@link PeelFactsOfHealth.renewalFailure} after an event. */
export function afterPeelEvent(failure: string | undefined, event: PeelEvent): string | undefined {
  switch (event.type) {
    case 'renewalFailed':
      return `${event.what === 'renewal' ? 'the credential was not renewed' : 'the key was not rotated'}: ${event.error.message}`;
    case 'notWritten':
      return `the new credential cannot be written: ${event.error.message}`;
    case 'recoveryFailed':
      return `the credential was not recovered: ${event.error.message}`;
    case 'recoveryPending':
      return 'the credential has expired, and an admin has to accept the peel';
    case 'recovered':
    case 'renewed':
    case 'keyRotated':
    case 'written':
      return undefined;
    default:
      return failure;
  }
}
