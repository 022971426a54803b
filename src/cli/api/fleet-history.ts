// FleetHistory: connections and renewals over time, since this process started.
import type { AuditEvent } from '../../protocol/records/audit-event.js';
import { UI_SAMPLE_INTERVAL_MS } from '../../timing.js';

/** A point of the chart of connections: milliseconds since 1970, connected peels, all peels. */
export type Sample = readonly [at: number, connected: number, peels: number];
/** A point of the chart of renewals: the minute in milliseconds since 1970, renewals, refusals. */
export type MinuteCount = readonly [minute: number, renewed: number, refused: number];

/** A day. */
const MOST_SAMPLES = 8_640;
const MOST_MINUTES = 1_440;

/** The data of the charts, in memory. */
export class FleetHistory {
  readonly #now: () => number;
  readonly #samples: Sample[] = [];
  readonly #minutes = new Map<number, { renewed: number; refused: number }>();
  #timer: NodeJS.Timeout | undefined;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Starts sampling periodically. Idempotent. */
  start(counts: () => { connected: number; peels: number }, signal: AbortSignal): void {
    if (this.#timer !== undefined || signal.aborted) return;
    const sample = () => {
      const { connected, peels } = counts();
      this.#samples.push([this.#now(), connected, peels]);
      if (this.#samples.length > MOST_SAMPLES) this.#samples.shift();
    };
    sample();
    this.#timer = setInterval(sample, UI_SAMPLE_INTERVAL_MS).unref();
    signal.addEventListener('abort', () => clearInterval(this.#timer), { once: true });
  }

  count({ kind, at }: AuditEvent): void {
    const renewed = kind === 'key.renewed' || kind === 'key.rotated';
    if (!renewed && kind !== 'request.refused' && kind !== 'connection.refused') return;
    const minute = Math.floor(Date.parse(at) / 60_000) * 60_000;
    const counts = this.#minutes.get(minute) ?? { renewed: 0, refused: 0 };
    counts[renewed ? 'renewed' : 'refused'] += 1;
    this.#minutes.set(minute, counts);
    const [oldest] = this.#minutes.keys();
    if (this.#minutes.size > MOST_MINUTES && oldest !== undefined) this.#minutes.delete(oldest);
  }

  /** @param most the maximum number of points; beyond it, every n-th is returned */
  samples(most: number): Sample[] {
    const step = Math.ceil(this.#samples.length / most);
    const last = this.#samples.length - 1;
    return this.#samples.filter((_, i) => (last - i) % step === 0);
  }

  minutes(): MinuteCount[] {
    return [...this.#minutes]
      .map(([minute, { renewed, refused }]): MinuteCount => [minute, renewed, refused])
      .sort(([one], [other]) => one - other);
  }
}
