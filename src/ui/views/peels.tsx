// The list of all peels: search, filters, sorting, columns, CSV, and bulk actions.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { csvRow } from '../../text/csv.js';
import { ACTION_ROLES, hasRole, isPossible, type Action } from '../actions.js';
import { Confirm, type Asked } from '../components/confirm.js';
import { Grid, type Column } from '../components/grid.js';
import { Connected, Empty, Fingerprint, State, Text, Time } from '../components/text.js';
import { download } from '../download.js';
import { addressOfList, queryFrom } from '../list-address.js';
import { chooseRows, EVERYTHING, isInUse, type Row, type RowQuery, type SortColumn } from '../rows.js';
import { useNow, useStore } from '../use-store.js';

type Key = SortColumn | 'fingerprint' | 'labels' | 'origin';

const COLUMNS: readonly (Omit<Column<Row, Key>, 'cell'> & {
  cell: (row: Row, now: number) => preact.ComponentChildren;
})[] = [
  { key: 'id', title: 'ID', sortable: true, always: true, cell: ({ id }) => <Text of={id} /> },
  { key: 'state', title: 'State', sortable: true, always: true, cell: ({ state }) => <State of={state} /> },
  {
    key: 'connected',
    title: 'Connection',
    sortable: true,
    always: true,
    cell: ({ connected }) => <Connected is={connected} />,
  },
  {
    key: 'expiresAt',
    title: 'Expires',
    sortable: true,
    cell: (row, now) => (isInUse(row) ? <Time at={row.expiresAt} now={now} none="never" /> : '–'),
  },
  {
    key: 'lastSeen',
    title: 'Last seen',
    sortable: true,
    cell: ({ connected, lastSeen }, now) =>
      connected ? 'now' : <Time at={lastSeen} now={now} none="never" />,
  },
  { key: 'labels', title: 'Labels', cell: ({ labels }) => <Text of={labels} /> },
  { key: 'fingerprint', title: 'Fingerprint', cell: ({ fingerprint }) => <Fingerprint of={fingerprint} /> },
  {
    key: 'createdAt',
    title: 'Known since',
    sortable: true,
    cell: ({ createdAt }, now) => <Time at={createdAt} now={now} />,
  },
  { key: 'origin', title: 'Came with', cell: ({ origin }) => <Text of={origin} /> },
];
const USUAL: readonly Key[] = ['id', 'state', 'connected', 'expiresAt', 'lastSeen', 'labels', 'fingerprint'];

export function PeelsView({ params }: { params: URLSearchParams }) {
  const store = useStore();
  const now = useNow();
  const [query, showQuery] = useState(() => queryFrom(params));
  const [shown, setShown] = useState<readonly Key[]>(storedColumns);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<Asked | undefined>();
  useEffect(() => showQuery(queryFrom(params)), [params]);
  // kept in the address, so that going back restores the list
  const setQuery = (next: RowQuery) => {
    history.replaceState(null, '', addressOfList(next));
    showQuery(next);
  };
  const rows = useMemo(() => chooseRows(store.rows, query, now), [store.version, query, now]);
  const columns = COLUMNS.filter(({ key }) => shown.includes(key)).map((column) => ({
    ...column,
    cell: (row: Row) => column.cell(row, now),
  }));
  const chosen = rows.filter(({ id }) => selected.has(id));
  return (
    <section class="fill">
      <h1>Peels</h1>
      <Filters query={query} onChange={setQuery} />
      <div class="bar">
        <p role="status">
          {rows.length.toLocaleString()} of {store.total.toLocaleString()} peels
          {!store.complete && ', loading the rest…'}
        </p>
        <Columns shown={shown} onChange={setShown} />
        <button onClick={() => exportCsv(rows)}>Export CSV</button>
      </div>
      {chosen.length > 0 && (
        <Bulk
          rows={chosen}
          onAsk={setAsked}
          onClear={() => setSelected(new Set())}
          role={store.session?.role}
        />
      )}
      {rows.length === 0 && store.complete ? (
        <NoPeels isEmpty={store.total === 0} onClear={() => setQuery(EVERYTHING)} />
      ) : (
        <Grid
          label="peels"
          rows={rows}
          columns={columns}
          idOf={({ id }) => id}
          sort={query.sort}
          descending={query.descending}
          onSort={(key) => setQuery(sortedBy(query, key))}
          onOpen={({ id }) => (location.hash = `#/peels/${id}`)}
          selected={selected}
          onSelect={({ id }) => setSelected(toggled(selected, id))}
          onSelectAll={() =>
            setSelected(selected.size >= rows.length ? new Set() : new Set(rows.map(({ id }) => id)))
          }
        />
      )}
      <Confirm
        asked={asked}
        onClose={() => {
          setAsked(undefined);
          setSelected(new Set());
        }}
      />
    </section>
  );
}

function sortedBy(query: RowQuery, key: Key): RowQuery {
  const sort = key as SortColumn;
  return { ...query, sort, descending: query.sort === sort && !query.descending };
}

function toggled(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return next;
}

function Filters({ query, onChange }: { query: RowQuery; onChange: (query: RowQuery) => void }) {
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      search.current?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);
  const set = (change: Partial<RowQuery>) => onChange({ ...query, ...change });
  return (
    <div class="filters" role="search">
      <label class="field grow">
        Search (press /)
        <input
          ref={search}
          type="search"
          placeholder="ID, label or fingerprint"
          value={query.text}
          onInput={({ currentTarget }) => set({ text: currentTarget.value })}
        />
      </label>
      <label class="field">
        State
        <select value={query.state} onChange={({ currentTarget }) => set({ state: currentTarget.value })}>
          <option value="">any</option>
          {['pending', 'accepted', 'active', 'rejected', 'revoked'].map((state) => (
            <option key={state}>{state}</option>
          ))}
        </select>
      </label>
      <label class="field">
        Connection
        <select
          value={query.connected}
          onChange={({ currentTarget }) => set({ connected: currentTarget.value as RowQuery['connected'] })}
        >
          <option value="">any</option>
          <option value="yes">connected</option>
          <option value="no">not connected</option>
        </select>
      </label>
      <label class="field">
        Expires
        <select
          value={String(query.expiringWithin)}
          onChange={({ currentTarget }) => set({ expiringWithin: Number(currentTarget.value) })}
        >
          <option value="0">any time</option>
          <option value="1">has expired</option>
          <option value="3600">within 1 hour</option>
          <option value="86400">within 1 day</option>
          <option value="604800">within 7 days</option>
        </select>
      </label>
    </div>
  );
}

function Columns({ shown, onChange }: { shown: readonly Key[]; onChange: (keys: readonly Key[]) => void }) {
  const set = (keys: readonly Key[]) => {
    localStorage.setItem('zester columns', keys.join(' '));
    onChange(keys);
  };
  return (
    <details class="menu">
      <summary>Columns</summary>
      <fieldset>
        <legend>Columns</legend>
        {COLUMNS.filter(({ key }) => key !== 'id').map(({ key, title }) => (
          <label key={key}>
            <input
              type="checkbox"
              checked={shown.includes(key)}
              onChange={() => set(shown.includes(key) ? shown.filter((one) => one !== key) : [...shown, key])}
            />
            {title}
          </label>
        ))}
      </fieldset>
    </details>
  );
}

function storedColumns(): readonly Key[] {
  const stored = localStorage.getItem('zester columns')?.split(' ') ?? [];
  const known = COLUMNS.map(({ key }) => key).filter((key) => stored.includes(key));
  return known.includes('id') ? known : USUAL;
}

const ACTIONS: readonly [Action, string][] = [
  ['accept', 'Accept'],
  ['reject', 'Reject'],
  ['rotate', 'Rotate keys'],
  ['revoke', 'Revoke'],
];

function Bulk({
  rows,
  role,
  onAsk,
  onClear,
}: {
  rows: readonly Row[];
  role: string | undefined;
  onAsk: (asked: Asked) => void;
  onClear: () => void;
}) {
  return (
    <div class="bar bulk" role="toolbar" aria-label="selected peels">
      <span>{rows.length.toLocaleString()} selected</span>
      {ACTIONS.filter(([action]) => hasRole(role, ACTION_ROLES[action])).map(([action, title]) => {
        const possible = rows.filter((row) => isPossible(action, row));
        return (
          <button
            key={action}
            class={action === 'revoke' ? 'danger' : ''}
            disabled={possible.length === 0}
            onClick={() => onAsk({ action, rows: possible })}
          >
            {title} ({possible.length.toLocaleString()})
          </button>
        );
      })}
      <button onClick={onClear}>Clear selection</button>
    </div>
  );
}

function NoPeels({ isEmpty, onClear }: { isEmpty: boolean; onClear: () => void }) {
  return isEmpty ? (
    <Empty title="There are no peels yet.">
      <p>
        Create a <a href="#/tokens">join token</a>: the page then shows the command for the host. The host
        then appears under <a href="#/pending">Pending</a>.
      </p>
    </Empty>
  ) : (
    <Empty title="No peel matches.">
      <button onClick={onClear}>Clear the filters</button>
    </Empty>
  );
}

function exportCsv(rows: readonly Row[]): void {
  const keys = [
    'id',
    'state',
    'connected',
    'expiresAt',
    'lastSeen',
    'fingerprint',
    'labels',
    'createdAt',
    'origin',
  ] as const;
  const lines = rows.map((row) => csvRow(keys.map((key) => String(row[key] ?? ''))));
  download('peels.csv', 'text/csv;charset=utf-8', [csvRow(keys), ...lines, ''].join('\r\n'));
}
