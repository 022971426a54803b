// A table of audit events.
import { printable } from '../../text/printable.js';
import type { ShownEvent } from '../store.js';
import { Empty, Text, Time } from './text.js';

/** The details of an event besides its kind, in one line. */
function detailsOf({ reason, code, from, detail = {} }: ShownEvent): string {
  return [
    reason ?? '',
    code ?? '',
    from === undefined ? '' : `from ${from}`,
    ...Object.entries(detail).map(([name, value]) => `${name}: ${value}`),
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

export function Events({
  events,
  now,
  label,
}: {
  events: readonly ShownEvent[];
  now: number;
  label: string;
}) {
  if (events.length === 0) return <Empty title="No events match." />;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Event</th>
            <th scope="col">Peel</th>
            <th scope="col">By</th>
            <th scope="col">Details</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr key={event.id}>
              <td>
                <Time at={event.at} now={now} />
              </td>
              <td>
                <code>{printable(event.kind)}</code>
              </td>
              <td>
                <PeelLink id={event.peelId} />
              </td>
              <td>
                <Text of={event.by.name === '' ? event.by.kind : event.by.name} />
              </td>
              <td class="details">
                <Text of={detailsOf(event)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A link to a peel. The ID in an event may be invalid, and is then plain text. */
export function PeelLink({ id }: { id: string | undefined }) {
  if (id === undefined) return <span>–</span>;
  return /^[A-Za-z0-9_-]{1,128}$/.test(id) ? <a href={`#/peels/${id}`}>{id}</a> : <Text of={id} />;
}
