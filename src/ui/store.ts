// The state of the page: the session, the peels, and pushed events.
import type { PeelDocument } from '../cli/fleet/peel-document.js';
import { get, HttpError, post } from './http.js';
import { rowOf, rowsOf, type Row } from './rows.js';

/** An event of the audit log, with the fields that the page shows. */
export interface ShownEvent {
  id: string;
  at: string;
  kind: string;
  by: { kind: string; name: string };
  peelId?: string;
  publicKey?: string;
  from?: string;
  reason?: string;
  code?: string;
  detail?: Record<string, string | number | boolean>;
}

/** The current session. */
export interface Session {
  name: string;
  role: 'viewer' | 'approver' | 'operator' | 'owner';
  version: string;
  account: string;
  home: boolean;
}

interface PeelsAnswer {
  fields: string[];
  rows: unknown[][];
  total: number;
  next: string | null;
  position: string;
  stale: string | null;
}

export type Connection = 'starting' | 'live' | 'reconnecting' | 'signed out';

/** Rows per request: parsing more at once would block the page. */
const PAGE_ROWS = 2_500;
/** Rows of the first request: enough for a screen, and fast. */
const FIRST_ROWS = 100;
/** Maximum number of pushed events kept. */
const KEPT_EVENTS = 1_000;
/** With many rows, the minimum interval between sorts, in milliseconds. */
const SETTLE_MS = 300;

/** The single store of the page. Views read it, and are rendered again when it changes. */
export class Store {
  session: Session | undefined;
  connection: Connection = 'starting';
  /** Why there is no session. */
  problem = '';
  /** Whether all peels have been read. */
  complete = false;
  total = 0;
  stale: string | null = null;
  /** Incremented with each change of `rows`. */
  version = 0;
  /** Pushed events, newest first. */
  events: ShownEvent[] = [];
  readonly #byId = new Map<string, Row>();
  #sorted: Row[] | undefined = [];
  readonly #listeners = new Set<() => void>();
  #stream: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** The rows, ordered by ID. */
  get rows(): readonly Row[] {
    this.#sorted ??= [...this.#byId.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    return this.#sorted;
  }

  row(id: string): Row | undefined {
    return this.#byId.get(id);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Signs in with the key in the link, if any, and reads everything. */
  async start(): Promise<void> {
    const [, key] = /^#key=([A-Za-z0-9_-]+)$/.exec(location.hash) ?? [];
    try {
      if (key !== undefined) {
        history.replaceState(null, '', '/#/');
        // a used link may be opened again in the browser that has its session
        await post('/session', { key }).catch(async (error: unknown) => {
          await get('/session').catch(() => Promise.reject(error));
        });
      }
      this.session = await get<Session>('/session');
      this.#changed();
      await this.#read();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #read(): Promise<void> {
    this.complete = false;
    const first = await get<PeelsAnswer>(`/peels?format=rows&limit=${FIRST_ROWS}`);
    this.#byId.clear();
    this.#sorted = undefined;
    this.#take(first);
    // from the first position on: changes during the read are pushed
    this.#listen(first.position);
    for (let { next } = first; next !== null;) {
      const page = await get<PeelsAnswer>(`/peels?format=rows&limit=${PAGE_ROWS}&after=${next}`);
      this.#take(page);
      next = page.next;
    }
    this.complete = true;
    this.#changed();
  }

  #take({ fields, rows, total, stale }: PeelsAnswer): void {
    for (const row of rowsOf(fields, rows)) this.#byId.set(row.id, row);
    this.#sorted = undefined;
    this.total = total;
    this.stale = stale;
    this.version += 1;
    this.#changed();
  }

  #listen(position: string): void {
    this.#stream?.close();
    const stream = new EventSource(`/api/v1/events?since=${encodeURIComponent(position)}`);
    this.#stream = stream;
    stream.addEventListener('open', () => this.#connected('live'));
    stream.addEventListener('error', () => {
      this.#connected('reconnecting');
      // a browser does not retry after an error response
      if (stream.readyState === EventSource.CLOSED) this.#again();
    });
    stream.addEventListener('peels', ({ data }: MessageEvent<string>) => {
      const { peels } = JSON.parse(data) as { peels: PeelDocument[] };
      for (const peel of peels) this.update(peel);
    });
    stream.addEventListener('audit', ({ data }: MessageEvent<string>) => {
      const { events } = JSON.parse(data) as { events: ShownEvent[] };
      const known = new Set(this.events.map(({ id }) => id));
      const fresh = events.filter(({ id }) => !known.has(id)).reverse();
      this.events = [...fresh, ...this.events].slice(0, KEPT_EVENTS);
      this.#soon();
    });
    stream.addEventListener('reset', () => {
      stream.close();
      this.#again();
    });
  }

  /** Updates a peel from a pushed document or an answer. */
  update(peel: PeelDocument): void {
    const known = this.#byId.get(peel.id);
    const row = rowOf(peel);
    if (known === undefined) {
      this.#byId.set(row.id, row);
      this.total = Math.max(this.total, this.#byId.size);
    } else Object.assign(known, row);
    this.#sorted = known === undefined ? undefined : this.#sorted;
    this.version += 1;
    this.#soon();
  }

  #again(): void {
    setTimeout(() => {
      this.#read().catch((error: unknown) => this.#failed(error));
    }, 2_000);
  }

  #failed(error: unknown): void {
    if (error instanceof HttpError && (error.status === 401 || error.status === 403)) {
      this.#stream?.close();
      this.problem = error.message;
      this.#connected('signed out');
    } else {
      this.problem = error instanceof Error ? error.message : String(error);
      this.#connected('reconnecting');
      setTimeout(() => void this.start(), 3_000);
    }
  }

  #connected(connection: Connection): void {
    this.connection = connection;
    this.#changed();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.#changed(), this.#byId.size > 5_000 ? SETTLE_MS : 50);
  }

  #changed(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const listener of this.#listeners) listener();
  }
}

export const store = new Store();
