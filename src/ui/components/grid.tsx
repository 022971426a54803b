// Grid: a virtualized table, which renders only the visible rows.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** A column of a grid. */
export interface Column<T, K extends string> {
  key: K;
  title: string;
  /** Whether a click on the title sorts by it. */
  sortable?: boolean;
  /** Shown on a phone, too. */
  always?: boolean;
  cell: (row: T) => ComponentChildren;
}

export interface GridProps<T, K extends string> {
  label: string;
  rows: readonly T[];
  columns: readonly Column<T, K>[];
  idOf: (row: T) => string;
  sort: K;
  descending: boolean;
  onSort: (key: K) => void;
  onOpen: (row: T) => void;
  selected: ReadonlySet<string>;
  onSelect: (row: T) => void;
  onSelectAll: () => void;
}

const ROW_HEIGHT = 40;
/** Extra rows above and below the visible ones, so that scrolling shows no gap. */
const BEYOND = 8;

/** Arrow keys, Page Up and Down, Home and End move; Enter opens; the space bar selects. */
export function Grid<T, K extends string>(props: GridProps<T, K>) {
  const { label, rows, columns, idOf } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [active, setActive] = useState(0);
  const wantsFocus = useRef(false);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (!wantsFocus.current) return;
    wantsFocus.current = false;
    box.current?.querySelector<HTMLElement>('[data-active]')?.focus({ preventScroll: true });
  });
  const at = Math.min(active, Math.max(0, rows.length - 1));
  const first = Math.max(0, Math.floor(view.top / ROW_HEIGHT) - BEYOND);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / ROW_HEIGHT) + BEYOND);
  const move = (to: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    wantsFocus.current = true;
    setActive(next);
    reveal(box.current, next);
  };
  const page = Math.max(1, Math.floor(view.height / ROW_HEIGHT) - 2);
  const onKey = (event: KeyboardEvent) => {
    const row = rows[at];
    const to = steppedTo(event.key, { at, page, last: rows.length - 1 });
    if (to !== undefined) move(to);
    else if (event.key === 'Enter' && row !== undefined) props.onOpen(row);
    else if (event.key === ' ' && row !== undefined) props.onSelect(row);
    else return;
    event.preventDefault();
  };
  return (
    <div
      class="grid"
      role="grid"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length + 1}
      aria-multiselectable="true"
    >
      <Head {...props} />
      <div
        class="grid-body"
        role="rowgroup"
        ref={box}
        onScroll={({ currentTarget: { scrollTop, clientHeight } }) =>
          setView({ top: scrollTop, height: clientHeight })
        }
        onKeyDown={onKey}
      >
        <div class="grid-space" role="presentation" style={{ height: `${rows.length * ROW_HEIGHT}px` }}>
          {rows.slice(first, last).map((row, i) => (
            <GridRow
              key={idOf(row)}
              {...props}
              row={row}
              index={first + i}
              isActive={first + i === at}
              onFocus={setActive}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

function Head<T, K extends string>({
  rows,
  columns,
  sort,
  descending,
  onSort,
  selected,
  onSelectAll,
}: GridProps<T, K>) {
  const all = rows.length > 0 && selected.size >= rows.length;
  return (
    <div role="rowgroup" class="grid-head">
      <div role="row" class="grid-row" aria-rowindex={1}>
        <div role="columnheader" class="grid-select">
          <input type="checkbox" aria-label="select all listed peels" checked={all} onChange={onSelectAll} />
        </div>
        {columns.map(({ key, title, sortable = false, always = false }) => (
          <div
            key={key}
            role="columnheader"
            class={`grid-cell grid-${key} ${always ? '' : 'wide-only'}`}
            {...(sortable && {
              'aria-sort': key !== sort ? 'none' : descending ? 'descending' : 'ascending',
            })}
          >
            {sortable ? (
              <button class="plain" onClick={() => onSort(key)}>
                {title}
                <span aria-hidden="true">{key !== sort ? '' : descending ? ' ↓' : ' ↑'}</span>
              </button>
            ) : (
              title
            )}
          </div>
        ))}
      </div>
    </div>
  );
}

function GridRow<T, K extends string>({
  row,
  index,
  isActive,
  onFocus,
  columns,
  idOf,
  selected,
  onOpen,
  onSelect,
}: GridProps<T, K> & { row: T; index: number; isActive: boolean; onFocus: (index: number) => void }) {
  const id = idOf(row);
  const isSelected = selected.has(id);
  return (
    <div
      role="row"
      class="grid-row"
      tabIndex={isActive ? 0 : -1}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      {...(isActive && { 'data-active': '' })}
      style={{ transform: `translateY(${index * ROW_HEIGHT}px)` }}
      onClick={() => onOpen(row)}
      onFocus={() => onFocus(index)}
    >
      <div role="gridcell" class="grid-select">
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={`select ${id}`}
          checked={isSelected}
          onClick={(event) => event.stopPropagation()}
          onChange={() => onSelect(row)}
        />
      </div>
      {columns.map(({ key, cell, always = false }) => (
        <div key={key} role="gridcell" class={`grid-cell grid-${key} ${always ? '' : 'wide-only'}`}>
          {cell(row)}
        </div>
      ))}
    </div>
  );
}

/** The row that a key moves to; undefined for any other key. */
function steppedTo(
  key: string,
  { at, page, last }: { at: number; page: number; last: number },
): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return at + 1;
    case 'ArrowUp':
      return at - 1;
    case 'PageDown':
      return at + page;
    case 'PageUp':
      return at - page;
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return undefined;
  }
}

function reveal(box: HTMLElement | null, index: number): void {
  if (box === null) return;
  const top = index * ROW_HEIGHT;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + ROW_HEIGHT > box.scrollTop + box.clientHeight)
    box.scrollTop = top + ROW_HEIGHT - box.clientHeight;
}
