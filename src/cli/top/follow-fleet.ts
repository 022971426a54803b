// Keeps a view of a fleet up to date: pushed events trigger reads of the state.
import { whenAborted } from '../../async/when-aborted.js';
import { errorMessage } from '../../text/error-message.js';
import type { AuditEvent } from '../../protocol/records/audit-event.js';
import { parseEvent } from '../../protocol/records/parse-event.js';
import { sortPeels } from '../../protocol/records/peel-order.js';
import { subjectFor } from '../../permissions/names.js';
import { TOP_REFRESH_MS, TOP_RENEWALS_WINDOW_MS } from '../../timing.js';
import type { Admin } from '../fleet/admin.js';
import { peelDocument, type PeelDocument } from '../fleet/peel-document.js';
import type { FleetView } from './picture.js';

const KEPT_EVENTS = 100;
const SOONEST = 50;
const RENEWALS = ['key.renewed', 'key.rotated'];

/** The dependencies of {@link FollowedFleet}. */
export type TopAdmin = Pick<Admin, 'client' | 'nc'>;

/** A view of a fleet that follows its audit log. */
export class FollowedFleet {
  readonly #admin: TopAdmin;
  readonly #now: () => number;
  readonly #events: AuditEvent[] = [];
  /** The times of the last minute's renewals, in milliseconds since 1970. */
  #renewals: number[] = [];
  #status: FleetView['status'];
  #expiring: PeelDocument[];
  #problem: string | undefined;

  private constructor(
    admin: TopAdmin,
    now: () => number,
    state: Pick<FleetView, 'status'> & { expiring: PeelDocument[] },
  ) {
    this.#admin = admin;
    this.#now = now;
    this.#status = state.status;
    this.#expiring = state.expiring;
  }

  /** Reads everything once. @throws FleetError as `AdminClient.ask` */
  static async open(admin: TopAdmin, now: () => number): Promise<FollowedFleet> {
    const fleet = new FollowedFleet(admin, now, await readState(admin, now));
    const since = new Date(now() - TOP_RENEWALS_WINDOW_MS).toISOString();
    for await (const { events } of admin.client.stream('audit', { since, kinds: RENEWALS }))
      for (const { at } of events) fleet.#renewals.push(Date.parse(at));
    for await (const { events } of admin.client.stream('audit', { last: KEPT_EVENTS }))
      for (const event of events as AuditEvent[]) fleet.#show(event);
    return fleet;
  }

  get view(): FleetView {
    const from = this.#now() - TOP_RENEWALS_WINDOW_MS;
    this.#renewals = this.#renewals.filter((at) => at >= from);
    return {
      status: this.#status,
      expiring: this.#expiring,
      events: this.#events,
      renewalsPerSecond: this.#renewals.length / (TOP_RENEWALS_WINDOW_MS / 1000),
      problem: this.#problem,
    };
  }

  /**
   * Follows the fleet until the signal is aborted. Rereads the state after events, at most once per {@link
   * TOP_REFRESH_MS}, one read at a time.
   *
   * @param changed called when the view has changed
   */
  async follow(changed: () => void, signal: AbortSignal): Promise<void> {
    const subscription = this.#admin.nc.subscribe(subjectFor.audit('*'), {
      callback: (error, { data }) => {
        const event = error === null ? parseEvent(data) : undefined;
        if (event === undefined) return;
        this.#add(event);
        changed();
      },
    });
    let reading: Promise<void> = Promise.resolve();
    let isReading = false;
    const timer = setInterval(() => {
      changed();
      if (isReading) return;
      isReading = true;
      reading = this.#refresh().finally(() => {
        isReading = false;
        changed();
      });
    }, TOP_REFRESH_MS);
    try {
      await Promise.race([whenAborted(signal), this.#admin.nc.closed()]);
    } finally {
      clearInterval(timer);
      if (!this.#admin.nc.isClosed()) subscription.unsubscribe();
      // nothing waits for its answer any longer
      void reading;
    }
  }

  /** Keeps the newest, however many a master sends. */
  #show(event: AuditEvent): void {
    this.#events.unshift(event);
    this.#events.length = Math.min(this.#events.length, KEPT_EVENTS);
  }

  #add(event: AuditEvent): void {
    this.#show(event);
    if (RENEWALS.includes(event.kind)) this.#renewals.push(this.#now());
  }

  async #refresh(): Promise<void> {
    try {
      const { status, expiring } = await readState(this.#admin, this.#now);
      this.#status = status;
      this.#expiring = expiring;
      this.#problem = undefined;
    } catch (error) {
      this.#problem = errorMessage(error);
    }
  }
}

async function readState(
  { client }: TopAdmin,
  now: () => number,
): Promise<Pick<FleetView, 'status'> & { expiring: PeelDocument[] }> {
  const status = await client.ask('status', {});
  const peels = [];
  for (const state of ['active', 'accepted'] as const) {
    const top = { by: 'expires', limit: SOONEST } as const;
    for await (const part of client.stream('peel.list', { state, top })) peels.push(...part.peels);
  }
  const expiring = sortPeels(peels, 'expires')
    .map(({ record, presence }) => peelDocument(record, presence, now()))
    .filter(({ expiresAt }) => expiresAt !== null && Date.parse(expiresAt) > now())
    .slice(0, SOONEST);
  return { status, expiring };
}
