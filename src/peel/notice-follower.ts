// Follows the notices of masters: rotates the key, or ends the peel.
import { ZesterError, type FleetError } from '../errors.js';
import type { UserClaims } from '../jwt/claims.js';
import type { ReceivedMessage } from '../protocol/messages.js';
import type { FleetClock } from './clock.js';
import type { PeelEvent } from './events.js';
import { judgeNotice } from './judge-notice.js';
import { readNotice } from './notices.js';
import { afterNotice } from './start-plan.js';

/** The dependencies of {@link NoticeFollower}. */
export interface NoticeFollowerOptions {
  peelId: string;
  /** The claims of the credential in use. */
  claims: () => UserClaims;
  clock: FleetClock;
  /** Starts a key rotation. @throws CredsError `ERR_CREDS_NO_STORE` */
  rotate: () => void;
  /** A master rejected or revoked the peel. */
  ended: (error: FleetError) => void;
  emit: (event: PeelEvent) => void;
}

/** Follows each valid notice once, and reports the others. */
export class NoticeFollower {
  readonly #options: NoticeFollowerOptions;
  /** The time of the last followed notice to rotate (ISO 8601): a repeated one is ignored. */
  #rotationAskedAt = '';

  constructor(options: NoticeFollowerOptions) {
    this.#options = options;
  }

  /** Never throws because of the message. */
  received(message: ReceivedMessage): void {
    const { peelId, clock, rotate, ended, emit } = this.#options;
    const claims = this.#options.claims();
    try {
      const notice = readNotice(message, peelId, claims, clock.lenient());
      const judged = judgeNotice(notice, claims, { now: clock.now(), confirmed: clock.confirmed });
      clock.isAtLeast(Date.parse(notice.at));
      const action = afterNotice(notice, judged, this.#rotationAskedAt);
      if (action.do === 'report') throw action.error;
      if (action.do === 'end') ended(action.error);
      if (action.do !== 'rotate') return;
      rotate();
      this.#rotationAskedAt = action.at;
    } catch (error) {
      if (!(error instanceof ZesterError)) throw error;
      emit({ type: 'noticeIgnored', error });
    }
  }
}
