// The fleet at a glance.
import { Chart } from '../components/chart.js';
import { Empty, Problem, Text, Time } from '../components/text.js';
import { hasRole } from '../actions.js';
import { post } from '../http.js';
import { durationWords } from '../times.js';
import { useAnswer, useNow, usePaced, useStore } from '../use-store.js';

interface Summary {
  master: string | null;
  watching: string | null;
  policy: string | null;
  lifetime: number | null;
  held: { peels: number; since: string } | null;
  peels: number;
  states: Record<string, number>;
  connected: number;
  notConnected: number;
  expired: number;
  expiringIn1h: number;
  expiringIn24h: number;
  neverExpire: number;
  revoking: number;
  versions: { zester: string | null; natsServer: string | null };
  servers: { name: string; connections: number }[];
  stale: string | null;
}
interface History {
  samples: [number, number, number][];
  minutes: [number, number, number][];
  expiry: [number, number][];
}
interface Masters {
  masters: {
    id: string;
    version: string;
    started: string | null;
    watching: boolean;
    requests: number | null;
    errors: number | null;
  }[];
}

/** Changes may be pushed many times a second: the minimum interval between requests for the summary. */
const COUNT_AGAIN_MS = 1_000;

/** The numbers are requested again soon after each push, and every ten seconds. */
export function OverviewView() {
  const store = useStore();
  const now = useNow();
  const again = `${store.connection} ${usePaced(store.version, COUNT_AGAIN_MS)} ${now}`;
  const summary = useAnswer<Summary>('/summary', again);
  const history = useAnswer<History>('/history', now);
  const masters = useAnswer<Masters>('/masters', Math.floor(now / 60_000));
  const { data } = summary;
  return (
    <section>
      <h1>Overview</h1>
      <Problem text={summary.error} />
      {data !== undefined && (
        <Numbers summary={data} role={store.session?.role} now={now} reload={summary.reload} />
      )}
      <Charts history={history.data} connected={data?.connected} now={now} />
      <MastersTable masters={masters.data} now={now} />
      {data !== undefined && <Versions summary={data} />}
    </section>
  );
}

function Numbers({
  summary,
  role,
  now,
  reload,
}: {
  summary: Summary;
  role: string | undefined;
  now: number;
  reload: () => void;
}) {
  const { states, held, stale } = summary;
  return (
    <>
      {stale !== null && <p class="notice">This data may be outdated: {stale}</p>}
      {held !== null && <Held held={held} role={role} now={now} reload={reload} />}
      {summary.peels === 0 ? (
        <Empty title="There are no peels yet.">
          <p>
            Next: create a <a href="#/tokens">join token</a>, let a host join with it, and accept it under{' '}
            <a href="#/pending">Pending</a>.
          </p>
        </Empty>
      ) : (
        <ul class="tiles">
          <Tile title="Peels" value={summary.peels} href="#/peels" />
          <Tile title="Connected" value={summary.connected} href="#/peels?connected=yes" />
          <Tile title="Accepted, not connected" value={summary.notConnected} href="#/peels?connected=no" />
          <Tile title="Pending" value={states['pending'] ?? 0} href="#/pending" tone="warn" />
          <Tile title="Expire within 1 h" value={summary.expiringIn1h} href="#/peels?expiring=3600" />
          <Tile title="Expired" value={summary.expired} href="#/peels?expiring=1" tone="bad" />
          <Tile
            title="Revocation unconfirmed"
            value={summary.revoking}
            href="#/audit?kind=revocation.*"
            tone="bad"
          />
          <Tile title="Revoked" value={states['revoked'] ?? 0} href="#/peels?state=revoked" />
          <Tile title="Rejected" value={states['rejected'] ?? 0} href="#/peels?state=rejected" />
        </ul>
      )}
    </>
  );
}

function Tile({
  title,
  value,
  href,
  tone = '',
}: {
  title: string;
  value: number;
  href: string;
  tone?: string;
}) {
  return (
    <li>
      <a class={`tile ${value > 0 ? tone : ''}`} href={href}>
        <span class="tile-value">{value.toLocaleString()}</span>
        <span class="tile-title">{title}</span>
      </a>
    </li>
  );
}

function Held({
  held,
  role,
  now,
  reload,
}: {
  held: { peels: number; since: string };
  role: string | undefined;
  now: number;
  reload: () => void;
}) {
  const resume = () => {
    if (confirm(`Revoke ${held.peels} healthy peels, permanently?`))
      void post('/resume').then(reload, reload);
  };
  return (
    <div class="notice bad" role="alert">
      <p>
        Held since <Time at={held.since} now={now} />: the revocation of {held.peels} healthy peels. So many
        at once are more likely a fault than theft. The masters continue when the cause is gone.
      </p>
      {hasRole(role, 'operator') && (
        <button class="danger" onClick={resume}>
          Revoke them
        </button>
      )}
    </div>
  );
}

function Charts({
  history,
  connected,
  now,
}: {
  history: History | undefined;
  connected: number | undefined;
  now: number;
}) {
  const { samples = [], minutes = [], expiry = [] } = history ?? {};
  const line = samples.map(([at, value]) => [at, value] as const);
  // the last sample is older than the number above
  if (connected !== undefined) line.push([Math.max(now, line.at(-1)?.[0] ?? 0), connected]);
  return (
    <div class="charts">
      <Chart
        title="Connected peels"
        kind="line"
        points={line}
        now={now}
        none="No peel has connected since the page started."
      />
      <Chart
        title="Renewals and rotations per minute"
        kind="bars"
        points={minutes.map(([at, renewed]) => [at, renewed] as const)}
        now={now}
        none="No credential has been renewed in the last minutes."
      />
      <Chart
        title="Credentials by expiry"
        kind="bars"
        points={expiry}
        now={now}
        none="No credential of an accepted peel expires."
      />
    </div>
  );
}

function MastersTable({ masters, now }: { masters: Masters | undefined; now: number }) {
  return (
    <section>
      <h2 id="masters-title">Masters</h2>
      {masters === undefined ? (
        <p role="status">Contacting the masters…</p>
      ) : masters.masters.length === 0 ? (
        <Empty title="No master answers.">
          <p>Peels stay connected, but renewals and revocations wait. Start a master: zester master</p>
        </Empty>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="masters-title">
          <table>
            <thead>
              <tr>
                <th scope="col">ID</th>
                <th scope="col">Version</th>
                <th scope="col">Started</th>
                <th scope="col">Requests</th>
                <th scope="col">Failed</th>
              </tr>
            </thead>
            <tbody>
              {masters.masters.map(({ id, version, started, watching, requests, errors }) => (
                <tr key={id}>
                  <td>
                    <Text of={id} /> {watching && <span class="state">follows the servers</span>}
                  </td>
                  <td>
                    <Text of={version} />
                  </td>
                  <td>
                    <Time at={started} now={now} />
                  </td>
                  <td>{requests?.toLocaleString() ?? '–'}</td>
                  <td>{errors?.toLocaleString() ?? '–'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Versions({ summary: { policy, lifetime, versions, servers } }: { summary: Summary }) {
  return (
    <section>
      <h2>Settings and versions</h2>
      <dl class="facts">
        <dt>New peels</dt>
        <dd>
          <Text of={policy} />
        </dd>
        <dt>Credential lifetime</dt>
        <dd>{lifetime === null ? '–' : lifetime === 0 ? 'never expires' : durationWords(lifetime)}</dd>
        <dt>Master</dt>
        <dd>
          zester <Text of={versions.zester} />
        </dd>
        <dt>Server</dt>
        <dd>
          nats-server <Text of={versions.natsServer} />
        </dd>
        {servers.slice(0, 20).map(({ name, connections }) => (
          <>
            <dt>
              <Text of={name} />
            </dt>
            <dd>{connections.toLocaleString()} connections of peels</dd>
          </>
        ))}
      </dl>
    </section>
  );
}
