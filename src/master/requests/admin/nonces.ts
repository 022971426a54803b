// Ensures that a signed request is accepted once.
import { randomUUID } from 'node:crypto';
import { FleetError } from '../../../errors.js';
import { encodeJson } from '../../../protocol/messages.js';
import { RecentIds } from '../../../protocol/recent-ids.js';
import { compareAndSet } from '../../store/compare-and-set.js';
import type { Store } from '../../store/store.js';

/** The identity of a signed request. */
export interface RequestNonce {
  /** The signer (`U…`): nobody can use up the nonces of another signer. */
  publicKey: string;
  nonce: string;
}

/**
 * Replay protection for signed requests. The nonce of a request that changes something is stored for all masters, for
 * the lifetime of a challenge, which is longer than a request's validity: every master refuses a replay. A read-only
 * request costs no write: this master refuses a replay; another master may answer it, but only to the same admin's inbox.
 */
export class Nonces {
  readonly #seen = new RecentIds();

  /**
   * Accepts a request.
   *
   * @param forAllMasters whether to store the nonce for all masters
   * @throws FleetError `ERR_FLEET_REPLAY` when it was accepted before; `ERR_FLEET_STORE`
   */
  async accept(
    { challenges }: Pick<Store, 'challenges'>,
    { publicKey, nonce }: RequestNonce,
    forAllMasters: boolean,
  ): Promise<void> {
    const id = `${publicKey}.${nonce}`;
    if (!this.#seen.add(id)) throw replayed();
    if (!forAllMasters) return;
    // marks this call, so that it recognizes its own write if the answer is lost
    const mark = encodeJson({ by: randomUUID() });
    if ((await compareAndSet(challenges, `nonce.${id}`, mark, 0)) === undefined) throw replayed();
  }
}

function replayed(): FleetError {
  return new FleetError('ERR_FLEET_REPLAY', 'this signed request was already accepted: sign a new one');
}
