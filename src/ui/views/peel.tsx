// One peel: its keys over time, connections, facts and decisions.
import { useState } from 'preact/hooks';
import type { PeelDocument } from '../../cli/fleet/peel-document.js';
import { labelText } from '../../protocol/records/labels.js';
import { printable } from '../../text/printable.js';
import { ACTION_ROLES, hasRole, isPossible, type Action } from '../actions.js';
import { Confirm, type Asked } from '../components/confirm.js';
import { Events } from '../components/events.js';
import { KeyTimeline, type ShownKey } from '../components/key-timeline.js';
import { Connected, Empty, Fingerprint, Problem, State, Text, Time } from '../components/text.js';
import { lastList } from '../list-address.js';
import { rowOf } from '../rows.js';
import type { ShownEvent } from '../store.js';
import { useAnswer, useNow, useStore } from '../use-store.js';

interface PeelAnswer {
  peel: PeelDocument;
  keys: ShownKey[];
  connections: {
    server: string;
    cid: number;
    serverName?: string;
    publicKey: string;
    host?: string;
    since: string;
  }[];
  connectionCount: number;
  events: ShownEvent[];
  eventsMissing: boolean;
}

export function PeelView({ id }: { id: string }) {
  const store = useStore();
  const now = useNow();
  const row = store.row(id);
  // request again after a change of the peel was pushed
  const again = `${row?.state} ${row?.connected} ${row?.expiresAt} ${row?.keyState} ${row?.fingerprint}`;
  const { data, error, loading } = useAnswer<PeelAnswer>(`/peels/${id}`, again);
  return (
    <section>
      <p>
        <a href={lastList()}>← All peels</a>
      </p>
      <h1>
        {printable(id)} {data !== undefined && <State of={data.peel.state} />}
      </h1>
      <Problem text={error} />
      {data === undefined && loading && <p role="status">Loading…</p>}
      {data !== undefined && <Shown answer={data} now={now} role={store.session?.role} />}
    </section>
  );
}

const ACTIONS: readonly [Action, string][] = [
  ['accept', 'Accept'],
  ['reject', 'Reject'],
  ['rotate', 'Rotate key'],
  ['revoke', 'Revoke'],
];

function Shown({ answer, now, role }: { answer: PeelAnswer; now: number; role: string | undefined }) {
  const [asked, setAsked] = useState<Asked | undefined>();
  const { peel, keys, events, eventsMissing } = answer;
  const row = rowOf(peel);
  return (
    <>
      <div class="bar">
        {ACTIONS.filter(([action]) => hasRole(role, ACTION_ROLES[action]) && isPossible(action, row)).map(
          ([action, title]) => (
            <button
              key={action}
              class={action === 'revoke' || action === 'reject' ? 'danger' : 'primary'}
              onClick={() => setAsked({ action, rows: [row] })}
            >
              {title}
            </button>
          ),
        )}
      </div>
      <About peel={peel} now={now} />
      <section>
        <h2>Keys</h2>
        {keys.length === 0 ? <Empty title="This peel has no key." /> : <KeyTimeline keys={keys} now={now} />}
      </section>
      <Connections answer={answer} now={now} />
      {hasRole(role, 'operator') && <Facts id={peel.id} connected={peel.connected} />}
      <section>
        <h2>Decisions and events</h2>
        {eventsMissing && <p class="notice">The audit log cannot be read at the moment.</p>}
        <Events events={events.toReversed()} now={now} label="decisions and events" />
      </section>
      <Confirm asked={asked} onClose={() => setAsked(undefined)} />
    </>
  );
}

function About({ peel, now }: { peel: PeelDocument; now: number }) {
  return (
    <dl class="facts">
      <dt>Connection</dt>
      <dd>
        <Connected is={peel.connected} />
        {peel.connected ? ' since ' : ', last seen '}
        <Time at={peel.connected ? peel.connectedSince : peel.lastSeen} now={now} none="never" />
      </dd>
      <dt>Fingerprint</dt>
      <dd>
        <Fingerprint of={peel.fingerprint} />
      </dd>
      <dt>Credential</dt>
      <dd>
        issued <Time at={peel.issuedAt} now={now} none="never" />, expires{' '}
        <Time at={peel.expiresAt} now={now} none="never" />
      </dd>
      <dt>Labels</dt>
      <dd>
        <Text of={labelText(peel.labels)} />
      </dd>
      <dt>Came with</dt>
      <dd>
        <Text of={peel.origin} />, <Time at={peel.createdAt} now={now} />
      </dd>
      {peel.decided !== null && (
        <>
          <dt>Decided</dt>
          <dd>
            by <Text of={peel.decided.by} />, <Time at={peel.decided.at} now={now} />
            {peel.decided.reason !== null && (
              <>
                : <Text of={peel.decided.reason} />
              </>
            )}
          </dd>
        </>
      )}
      {peel.rotationAskedAt !== null && (
        <>
          <dt>Rotation</dt>
          <dd>
            requested <Time at={peel.rotationAskedAt} now={now} />, not done yet
          </dd>
        </>
      )}
    </dl>
  );
}

function Connections({ answer: { connections, connectionCount }, now }: { answer: PeelAnswer; now: number }) {
  return (
    <section>
      <h2 id="connections-title">Connections</h2>
      {connections.length === 0 ? (
        <Empty title="This peel is not connected." />
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="connections-title">
          {connectionCount > connections.length && (
            <p>
              The newest {connections.length} of {connectionCount}
            </p>
          )}
          <table>
            <thead>
              <tr>
                <th scope="col">Server</th>
                <th scope="col">From</th>
                <th scope="col">Since</th>
                <th scope="col">Key</th>
              </tr>
            </thead>
            <tbody>
              {connections.map(({ server, cid, serverName, host, since, publicKey }) => (
                <tr key={`${server} ${cid}`}>
                  <td>
                    <Text of={serverName ?? server} />
                  </td>
                  <td>
                    <Text of={host} />
                  </td>
                  <td>
                    <Time at={since} now={now} />
                  </td>
                  <td>
                    <code>{printable(publicKey.slice(0, 12))}…</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** Requests a peel's facts on demand. They are not verified. */
function Facts({ id, connected }: { id: string; connected: boolean }) {
  const [wanted, setWanted] = useState(0);
  const { data, error, loading } = useAnswer<{ facts: unknown }>(
    wanted > 0 ? `/peels/${id}/facts` : undefined,
    wanted,
  );
  return (
    <section>
      <h2>Facts</h2>
      <p class="quiet">Reported by the host, and not verified.</p>
      <button disabled={!connected} onClick={() => setWanted(wanted + 1)}>
        Request facts
      </button>
      <Problem text={error} />
      {wanted > 0 && loading && <p role="status">Waiting for the peel…</p>}
      {data !== undefined && <pre tabIndex={0}>{factLines(data.facts)}</pre>}
    </section>
  );
}

function factLines(facts: unknown): string {
  return JSON.stringify(facts, null, 2).split('\n').slice(0, 200).map(printable).join('\n');
}
