// The page's actions on peels: roles, confirmation texts, and execution on many peels.
import type { PeelDocument } from '../cli/fleet/peel-document.js';
import { errorText, post } from './http.js';
import type { Row } from './rows.js';
import { store } from './store.js';

export type Action = 'accept' | 'reject' | 'rotate' | 'revoke';

/** The lowest role that may perform each action. */
export const ACTION_ROLES = {
  accept: 'approver',
  reject: 'approver',
  rotate: 'operator',
  revoke: 'operator',
} as const satisfies Record<Action, string>;

const ROLES = ['viewer', 'approver', 'operator', 'owner'];

/** Whether the role of a session suffices. */
export function hasRole(role: string | undefined, least: string): boolean {
  return role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/** Whether an action makes sense for a peel. */
export function isPossible(action: Action, { state, keyState }: Row): boolean {
  switch (action) {
    case 'accept':
      return state === 'pending';
    case 'reject':
      return state === 'pending';
    case 'rotate':
      return (state === 'accepted' || state === 'active') && keyState !== null;
    case 'revoke':
      return state !== 'revoked';
  }
}

/** The text of a confirmation. */
export interface Consequences {
  title: string;
  /** The consequences, one sentence each. */
  lines: string[];
  /** The label of the button. */
  button: string;
  danger: boolean;
}

const NAMES: Readonly<Record<Action, string>> = {
  accept: 'Accept',
  reject: 'Reject',
  rotate: 'Rotate',
  revoke: 'Revoke',
};

/** The consequences of an action for these peels. Pure. */
export function consequencesOf(action: Action, rows: readonly Row[]): Consequences {
  const [first] = rows;
  const one = rows.length === 1;
  const what = one ? (first?.id ?? '') : `${rows.length} peels`;
  const connected = rows.filter((row) => row.connected).length;
  const button = `${NAMES[action]} ${what}`;
  switch (action) {
    case 'accept':
      return {
        title: `${button}?`,
        button,
        danger: false,
        lines: [
          one
            ? `The host with the fingerprint ${first?.fingerprint ?? '–'} gets a credential for the ID ${what}.`
            : `Each host gets a credential for its ID. Accept only hosts whose fingerprints you have compared.`,
          'Any other host that requests the same ID is refused from then on.',
        ],
      };
    case 'reject':
      return {
        title: `${button}?`,
        button,
        danger: true,
        lines: [
          one
            ? 'The host gets no credential, and its key is refused from now on.'
            : 'The hosts get no credentials, and their keys are refused from now on.',
          'To return, a host must request to join again with a new key.',
        ],
      };
    case 'rotate':
      return {
        title: `${button}?`,
        button,
        danger: false,
        lines: [
          connected === rows.length
            ? `${one ? 'It is' : 'They are'} connected and will replace ${one ? 'its key' : 'their keys'} now, without losing messages.`
            : `${connected} of ${rows.length} ${rows.length === 1 ? 'is' : 'are'} connected and will replace the key now; the others will do so at their next renewal.`,
          'The old keys are revoked once the new ones are in use.',
        ],
      };
    case 'revoke':
      return {
        title: `${button}?`,
        button,
        danger: true,
        lines: [
          `All keys of ${one ? what : `these ${rows.length} peels`} are revoked on every server, permanently.`,
          connected === 0
            ? `${one ? 'It is not' : 'None of them is'} connected at the moment.`
            : `${connected === 1 ? 'One connection is' : `The connections of ${connected} peels are`} cut at once.`,
          'To return, a host must be added or join again with a new key.',
        ],
      };
  }
}

/** The progress of an action on many peels. */
export interface Progress {
  action: Action;
  total: number;
  /** The IDs for which it succeeded. */
  done: string[];
  failed: { id: string; why: string }[];
  stopped: boolean;
}

/** Concurrent requests; masters carry out concurrent revocations together. */
const AT_ONCE = 8;

/**
 * Performs an action on peels, a few at a time. Closing the page stops it after the requests in progress.
 *
 * @param stop when aborted, no further peels are started
 */
export async function perform(
  action: Action,
  rows: readonly Row[],
  reason: string,
  { stop, onProgress }: { stop: AbortSignal; onProgress: (progress: Progress) => void },
): Promise<Progress> {
  const progress: Progress = { action, total: rows.length, done: [], failed: [], stopped: false };
  const waiting = [...rows];
  const next = async (): Promise<void> => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      if (stop.aborted) {
        progress.stopped = true;
        return;
      }
      try {
        const { peel } = await post<{ peel: PeelDocument }>(
          `/peels/${row.id}/${action}`,
          bodyOf(action, row, reason),
        );
        store.update(peel);
        progress.done.push(row.id);
      } catch (error) {
        progress.failed.push({ id: row.id, why: errorText(error) });
      }
      onProgress({ ...progress });
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, rows.length) }, next));
  return progress;
}

/** The request body. It has the displayed fingerprint, so that no other host can have taken the peel's place since. */
function bodyOf(action: Action, { fingerprint }: Row, reason: string): object {
  const why = reason === '' ? {} : { reason };
  if (action === 'rotate') return {};
  return action === 'accept' && fingerprint !== null ? { ...why, fingerprint } : why;
}
