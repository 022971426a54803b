// The page: navigation and routing.
import { render, type RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { printable } from '../text/printable.js';
import { ask } from './http.js';
import { store, type Connection } from './store.js';
import { useStore } from './use-store.js';
import { AuditView } from './views/audit.js';
import { DoctorView } from './views/doctor.js';
import { OverviewView } from './views/overview.js';
import { PeelView } from './views/peel.js';
import { PeelsView } from './views/peels.js';
import { PendingView } from './views/pending.js';
import { TokensView } from './views/tokens.js';
import { TrustView } from './views/trust.js';

/** The current location, such as `#/peels?state=pending`. */
interface Place {
  view: string;
  id: string;
  params: URLSearchParams;
}

/** Parses a hash. The key of a one-time link counts as no view. */
function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#(key=.*|\/?)/, '').split('?');
  const [view = '', id = ''] = path.split('/');
  return { view, id: /^[A-Za-z0-9_-]{0,128}$/.test(id) ? id : '', params: new URLSearchParams(query) };
}

function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const go = () => setPlace(placeOf(location.hash));
    addEventListener('hashchange', go);
    return () => removeEventListener('hashchange', go);
  }, []);
  return place;
}

const VIEWS: readonly [name: string, title: string][] = [
  ['', 'Overview'],
  ['peels', 'Peels'],
  ['pending', 'Pending'],
  ['audit', 'Audit log'],
  ['tokens', 'Join tokens'],
  ['trust', 'Trust'],
  ['doctor', 'Doctor'],
];

function View({ place: { view, id, params } }: { place: Place }) {
  switch (view) {
    case '':
      return <OverviewView />;
    case 'peels':
      return id === '' ? <PeelsView params={params} /> : <PeelView key={id} id={id} />;
    case 'pending':
      return <PendingView />;
    case 'audit':
      return <AuditView key={params.toString()} params={params} />;
    case 'tokens':
      return <TokensView />;
    case 'trust':
      return <TrustView />;
    case 'doctor':
      return <DoctorView />;
    default:
      return (
        <section>
          <h1>Page not found</h1>
          <p>
            <a href="#/">Go to the overview</a>
          </p>
        </section>
      );
  }
}

/**
 * When the focused element disappears, such as a button after its use, moves the focus to the open dialog or the
 * content: otherwise the next Tab would start at the browser's own controls.
 */
function useKeptFocus(main: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    let last: EventTarget | null = null;
    const remember = ({ target }: FocusEvent) => (last = target);
    const keep = () => {
      if (!(last instanceof HTMLElement) || last.isConnected) return;
      if (document.activeElement !== document.body) return;
      (document.querySelector<HTMLElement>('dialog[open]') ?? main.current)?.focus({ preventScroll: true });
    };
    addEventListener('focusin', remember);
    const observer = new MutationObserver(keep);
    observer.observe(document.body, { childList: true, subtree: true });
    return () => {
      observer.disconnect();
      removeEventListener('focusin', remember);
    };
  }, []);
}

function App() {
  const { session, connection, problem } = useStore();
  const place = usePlace();
  const main = useRef<HTMLElement>(null);
  useKeptFocus(main);
  const title = VIEWS.find(([name]) => name === place.view)?.[1] ?? 'Zester';
  useEffect(() => {
    document.title = `${place.id === '' ? title : place.id} – Zester`;
  }, [title, place.id]);
  if (connection === 'signed out') return <SignedOut why={problem} />;
  if (session === undefined) {
    return (
      <main class="boot">
        <h1>Zester</h1>
        <p role="status">{problem === '' ? 'Loading…' : printable(problem)}</p>
      </main>
    );
  }
  return (
    <>
      <button class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header>
        <a class="brand" href="#/">
          Zester
        </a>
        <Navigation current={place.view} />
        <Status connection={connection} role={session.role} />
      </header>
      <main ref={main} tabIndex={-1}>
        <View place={place} />
      </main>
    </>
  );
}

function Navigation({ current }: { current: string }) {
  const { rows, version } = useStore();
  const pending = usePending(rows, version);
  return (
    <nav aria-label="views">
      <ul>
        {VIEWS.map(([name, title]) => (
          <li key={name}>
            <a href={`#/${name}`} {...(name === current && { 'aria-current': 'page' as const })}>
              {title}
              {name === 'pending' && pending > 0 && <span class="count">{pending.toLocaleString()}</span>}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** The number of pending peels, counted once per change. */
function usePending(rows: readonly { state: string }[], version: number): number {
  const counted = useRef({ version: -1, pending: 0 });
  if (counted.current.version !== version) {
    let pending = 0;
    for (const { state } of rows) if (state === 'pending') pending += 1;
    counted.current = { version, pending };
  }
  return counted.current.pending;
}

const WORDS: Readonly<Record<Connection, string>> = {
  starting: 'connecting…',
  live: 'live',
  reconnecting: 'reconnecting…',
  'signed out': 'signed out',
};

function Status({ connection, role }: { connection: Connection; role: string }) {
  const leave = () => {
    void ask('DELETE', '/session').then(
      () => location.reload(),
      () => location.reload(),
    );
  };
  return (
    <div class="status">
      <span role="status" class={connection === 'live' ? 'dot dot-on' : 'dot'}>
        {WORDS[connection]}
      </span>
      <span class="quiet">{role}</span>
      <Theme />
      <button class="plain" onClick={leave}>
        Sign out
      </button>
    </div>
  );
}

const THEMES = ['system', 'light', 'dark'] as const;

function Theme() {
  const [theme, setTheme] = useState(localStorage.getItem('zester theme') ?? 'system');
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    localStorage.setItem('zester theme', theme);
  }, [theme]);
  return (
    <label class="theme">
      <span class="hidden">Theme</span>
      <select value={theme} onChange={({ currentTarget }) => setTheme(currentTarget.value)}>
        {THEMES.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}

function SignedOut({ why }: { why: string }) {
  return (
    <main class="boot">
      <h1>Zester</h1>
      <p role="alert">{printable(why === '' ? 'You are signed out.' : why)}</p>
      <p>
        Press Enter in the terminal where <code>zester ui</code> or <code>zester up --ui</code> runs, and open
        the new link.
      </p>
    </main>
  );
}

const root = document.getElementById('app');
if (root !== null) {
  root.replaceChildren();
  render(<App />, root);
  void store.start();
}
