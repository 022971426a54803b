// The address of the list of peels. It contains the filters, so that a link or the Back button shows the same list.
import { EVERYTHING, SORT_COLUMNS, type RowQuery } from './rows.js';

let last = '#/peels';

/** The last address of the list. */
export const lastList = (): string => last;

/** The query in an address such as `#/peels?state=pending`. */
export function queryFrom(params: URLSearchParams): RowQuery {
  const connected = params.get('connected');
  const query: RowQuery = {
    text: params.get('q') ?? '',
    state: params.get('state') ?? '',
    connected: connected === 'yes' || connected === 'no' ? connected : '',
    expiringWithin: Number(params.get('expiring') ?? 0) || 0,
    sort: SORT_COLUMNS.find((column) => column === params.get('sort')) ?? EVERYTHING.sort,
    descending: params.get('descending') === 'yes',
  };
  addressOfList(query);
  return query;
}

/** The address of a list; remembers it as the last one. */
export function addressOfList({
  text,
  state,
  connected,
  expiringWithin,
  sort,
  descending,
}: RowQuery): string {
  const given = {
    q: text,
    state,
    connected,
    expiring: expiringWithin === 0 ? '' : String(expiringWithin),
    sort: sort === EVERYTHING.sort ? '' : sort,
    descending: descending ? 'yes' : '',
  };
  const params = new URLSearchParams(Object.entries(given).filter(([, value]) => value !== ''));
  last = params.size === 0 ? '#/peels' : `#/peels?${params}`;
  return last;
}
