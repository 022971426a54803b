// The Prometheus metrics of a peel.
import type { PeelEvent } from './events.js';
import type { PeelHealth } from './health.js';

interface Counted {
  count: number;
  seconds: number;
}

/** The metrics that count events, by name: which event, and the help text. */
const COUNTERS = {
  zester_peel_reconnects_total: ['reconnected', 'Outages that are over.'],
  zester_peel_renewals_total: ['renewed', 'Renewals of the credential.'],
  zester_peel_key_rotations_total: ['keyRotated', 'Rotations of the key.'],
  zester_peel_recoveries_total: ['recovered', 'Recoveries of an expired credential.'],
  zester_peel_renewal_failures_total: ['renewalFailed', 'Attempts to renew or to rotate that failed.'],
} as const satisfies Record<string, readonly [PeelEvent['type'], string]>;

/**
 * The metrics of a peel. Formatted by hand: the format is a few lines, and an agent should not bundle a metrics
 * library. Labels are names of registered handlers and error codes, so their number is bounded.
 */
export class PeelMetrics {
  readonly #commands = new Map<string, Counted>();
  readonly #events = new Map<PeelEvent['type'], number>();

  count(event: PeelEvent): void {
    this.#events.set(event.type, (this.#events.get(event.type) ?? 0) + 1);
    if (event.type !== 'command') return;
    const key = labels({ handler: event.handler ?? 'unknown', outcome: event.outcome });
    const counted = this.#commands.get(key) ?? { count: 0, seconds: 0 };
    counted.count += 1;
    counted.seconds += event.durationMs / 1000;
    this.#commands.set(key, counted);
  }

  /** Returns the metrics in Prometheus text format. */
  text({ connected, expiresAt, commands }: PeelHealth): string {
    const counted = [...this.#commands];
    return [
      metric('zester_peel_connected', 'gauge', '1 while the peel is connected.', [['', connected ? 1 : 0]]),
      metric('zester_peel_commands_active', 'gauge', 'Commands that run or wait.', [['', commands]]),
      metric(
        'zester_peel_credential_expiry_timestamp_seconds',
        'gauge',
        'When the credential in use expires, in seconds since 1970; absent if it does not.',
        expiresAt === undefined ? [] : [['', expiresAt / 1000]],
      ),
      metric(
        'zester_peel_commands_total',
        'counter',
        'Commands answered, by handler and outcome (ok, or an error code).',
        counted.map(([key, { count }]) => [key, count]),
      ),
      metric(
        'zester_peel_command_seconds_total',
        'counter',
        'Seconds until commands were answered, in total.',
        counted.map(([key, { seconds }]) => [key, seconds]),
      ),
      ...Object.entries(COUNTERS).map(([name, [type, help]]) =>
        metric(name, 'counter', help, [['', this.#events.get(type) ?? 0]]),
      ),
    ].join('');
  }
}

function metric(name: string, type: string, help: string, samples: readonly [string, number][]): string {
  const lines = samples.map(([key, value]) => `${name}${key} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labels(of: Record<string, string>): string {
  const pairs = Object.entries(of).map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, '\\$&')}"`);
  return `{${pairs.join(',')}}`;
}
