// The audit log: filters, and new events as they are stored.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { matchesGlob } from '../../protocol/glob.js';
import { csvRow } from '../../text/csv.js';
import { Events } from '../components/events.js';
import { Problem } from '../components/text.js';
import { download } from '../download.js';
import type { ShownEvent } from '../store.js';
import { useAnswer, useNow, useStore } from '../use-store.js';

const KINDS: readonly [string, string][] = [
  ['', 'all'],
  ['peel.*', 'decisions about peels'],
  ['key.*', 'keys: issued, renewed, rotated'],
  ['token.*', 'join tokens'],
  ['*.refused', 'refusals'],
  ['revocation*', 'revocations'],
  ['master.*', 'masters'],
];

export function AuditView({ params }: { params: URLSearchParams }) {
  const store = useStore();
  const now = useNow();
  const [peel, setPeel] = useState(params.get('peel') ?? '');
  const [kind, setKind] = useState(params.get('kind') ?? '');
  const [hours, setHours] = useState(0);
  const [last, setLast] = useState(200);
  const pattern = useSettled(peel.trim());
  const path = useMemo(() => pathOf({ pattern, kind, hours, last }), [pattern, kind, hours, last]);
  const { data, error, loading } = useAnswer<{ events: ShownEvent[] }>(path);
  const events = useMemo(() => {
    const read = data?.events ?? [];
    const known = new Set(read.map(({ id }) => id));
    const fresh = store.events.filter((event) => !known.has(event.id) && isWanted(event, pattern, kind));
    return [...fresh, ...read.toReversed()];
  }, [data, store.events, pattern, kind]);
  const kinds = KINDS.some(([value]) => value === kind) ? KINDS : [...KINDS, [kind, kind] as const];
  return (
    <section>
      <h1>Audit log</h1>
      <div class="filters" role="search">
        <label class="field grow">
          Peel
          <input
            type="search"
            placeholder="ID, or a pattern such as web-*"
            value={peel}
            onInput={({ currentTarget }) => setPeel(currentTarget.value)}
          />
        </label>
        <label class="field">
          Events
          <select value={kind} onChange={({ currentTarget }) => setKind(currentTarget.value)}>
            {kinds.map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          Since
          <select
            value={String(hours)}
            onChange={({ currentTarget }) => setHours(Number(currentTarget.value))}
          >
            <option value="0">ever</option>
            <option value="1">1 hour ago</option>
            <option value="24">1 day ago</option>
            <option value="168">7 days ago</option>
          </select>
        </label>
      </div>
      <div class="bar">
        <p role="status">
          {loading
            ? 'Reading…'
            : `${events.length.toLocaleString()} ${events.length === 1 ? 'event' : 'events'}; new ones appear automatically`}
        </p>
        <button onClick={() => exportCsv(events)}>Export CSV</button>
      </div>
      <Problem text={error} />
      <Events events={events} now={now} label="audit log" />
      {(data?.events.length ?? 0) >= last && last < 10_000 && (
        <button onClick={() => setLast(Math.min(10_000, last * 5))}>Show older events</button>
      )}
    </section>
  );
}

/** Debounces a text, so that not every keystroke is a request. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 300);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

function pathOf({
  pattern,
  kind,
  hours,
  last,
}: {
  pattern: string;
  kind: string;
  hours: number;
  last: number;
}): string {
  const query = new URLSearchParams({ last: String(last) });
  if (pattern !== '') query.set('pattern', pattern);
  if (kind !== '') query.set('kind', kind);
  if (hours > 0) query.set('since', new Date(Date.now() - hours * 3_600_000).toISOString());
  return `/audit?${query}`;
}

/** Filters like the interface, with `*` and `?`. */
function isWanted({ peelId = '', kind }: ShownEvent, pattern: string, wanted: string): boolean {
  return (pattern === '' || matchesGlob(pattern, peelId)) && (wanted === '' || matchesGlob(wanted, kind));
}

function exportCsv(events: readonly ShownEvent[]): void {
  const header = ['at', 'kind', 'peelId', 'by', 'reason', 'code', 'from'];
  const lines = events.map((event) =>
    csvRow([
      event.at,
      event.kind,
      event.peelId ?? '',
      `${event.by.kind} ${event.by.name}`.trim(),
      event.reason ?? '',
      event.code ?? '',
      event.from ?? '',
    ]),
  );
  download('audit.csv', 'text/csv;charset=utf-8', [csvRow(header), ...lines, ''].join('\r\n'));
}
