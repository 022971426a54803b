// Ensures that a signed request is taken once.
import { randomUUID } from 'node:crypto';
import { FleetError } from '../../../errors.js';
import { encodeJson } from '../../../protocol/messages.js';
import { ToldOnce } from '../../../protocol/recent-ids.js';
import { compareAndSet } from '../../store/compare-and-set.js';
import type { Store } from '../../store/store.js';

/** What identifies a signed request. */
export interface RequestNonce {
  /** Of the signer (`U…`): nobody spends another's nonce. */
  publicKey: string;
  nonce: string;
}

/**
 * The nonces of signed requests. A request that changes something is written down where every master sees it, for as long as
 * a challenge lives, which is more than the window in which a request is valid: a copy of it is refused by all masters. One
 * that only reads costs no write: this master refuses a copy, and another one may answer it, to the same admin's inbox.
 */
export class Nonces {
  readonly #seen = new ToldOnce();

  /**
   * Takes a request.
   *
   * @param everywhere whether all masters are to know
   * @throws FleetError `ERR_FLEET_REPLAY` when it was taken before; `ERR_FLEET_STORE`
   */
  async take(
    { challenges }: Pick<Store, 'challenges'>,
    { publicKey, nonce }: RequestNonce,
    everywhere: boolean,
  ): Promise<void> {
    const id = `${publicKey}.${nonce}`;
    if (!this.#seen.add(id)) throw replayed();
    if (!everywhere) return;
    // the mark of this call, so that it knows a write whose answer was lost
    const mark = encodeJson({ by: randomUUID() });
    if ((await compareAndSet(challenges, `nonce.${id}`, mark, 0)) === undefined) throw replayed();
  }
}

function replayed(): FleetError {
  return new FleetError(
    'ERR_FLEET_REPLAY',
    'this signed request was received before, and is not taken twice: sign a new one',
  );
}
