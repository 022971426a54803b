// The keys of a peel over time, as a diagram and as a table.
import { printable } from '../../text/printable.js';
import { Fingerprint, State, Time } from './text.js';

export interface ShownKey {
  publicKey: string;
  fingerprint: string;
  state: string;
  addedAt: string | null;
  issuedAt: string | null;
  expiresAt: string | null;
  connectedAt: string | null;
}

const WIDTH = 640;
const BAR = 18;

export function KeyTimeline({ keys, now }: { keys: readonly ShownKey[]; now: number }) {
  return (
    <>
      <Picture keys={keys} now={now} />
      <div class="scroll" tabIndex={0} role="region" aria-label="keys">
        <table>
          <thead>
            <tr>
              <th scope="col">Fingerprint</th>
              <th scope="col">State</th>
              <th scope="col">Added</th>
              <th scope="col">Issued</th>
              <th scope="col">Expires</th>
              <th scope="col">First connected</th>
            </tr>
          </thead>
          <tbody>
            {keys.toReversed().map((key) => (
              <tr key={key.publicKey}>
                <td>
                  <Fingerprint of={key.fingerprint} />
                </td>
                <td>
                  <State of={key.state} />
                </td>
                <td>
                  <Time at={key.addedAt} now={now} />
                </td>
                <td>
                  <Time at={key.issuedAt} now={now} />
                </td>
                <td>
                  <Time at={key.expiresAt} now={now} none={key.issuedAt === null ? '–' : 'never'} />
                </td>
                <td>
                  <Time at={key.connectedAt} now={now} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** One bar for each key, from when it was added to its expiry; the line is now. */
function Picture({ keys, now }: { keys: readonly ShownKey[]; now: number }) {
  const spans = keys.map((key) => {
    const from = Date.parse(key.addedAt ?? key.issuedAt ?? '') || now;
    return { key, from, to: key.expiresAt === null ? now : Date.parse(key.expiresAt) };
  });
  const first = Math.min(now, ...spans.map(({ from }) => from));
  const last = Math.max(now, ...spans.map(({ to }) => to));
  const place = (at: number) => 4 + ((at - first) / Math.max(1, last - first)) * (WIDTH - 8);
  const height = keys.length * (BAR + 4) + 4;
  const states = keys.map(({ state }) => printable(state)).join(', ');
  return (
    <svg
      class="timeline"
      viewBox={`0 0 ${WIDTH} ${height}`}
      role="img"
      aria-label={`${keys.length} keys over time, the oldest first: ${states}`}
    >
      {spans.map(({ key, from, to }, i) => (
        <rect
          key={key.publicKey}
          class={`key key-${/^[a-z]+$/.test(key.state) ? key.state : 'other'}`}
          x={place(from)}
          y={4 + i * (BAR + 4)}
          width={Math.max(3, place(to) - place(from))}
          height={BAR}
          rx={3}
        />
      ))}
      <line class="now" x1={place(now)} x2={place(now)} y1={0} y2={height} />
    </svg>
  );
}
