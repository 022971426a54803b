// Join tokens: creating, listing and removing them.
import { useState } from 'preact/hooks';
import { printable } from '../../text/printable.js';
import { hasRole } from '../actions.js';
import { Command } from '../components/command.js';
import { Dialog } from '../components/confirm.js';
import { Empty, Problem, State, Text, Time } from '../components/text.js';
import { ask, errorText, post } from '../http.js';
import { joinCommand } from '../join-command.js';
import { useAnswer, useNow, useStore } from '../use-store.js';

interface Token {
  id: string;
  state: string;
  uses: number;
  used: number;
  usedBy: string[];
  ids: string | null;
  createdAt: string;
  createdBy: string;
  expiresAt: string;
}

export function TokensView() {
  const store = useStore();
  const now = useNow();
  // request again after an audit event about a token
  const again = store.events.find(({ kind }) => kind.startsWith('token.'))?.id ?? '';
  const { data, error, reload } = useAnswer<{ tokens: Token[] }>('/tokens', again);
  const [removing, setRemoving] = useState<Token | undefined>();
  const may = hasRole(store.session?.role, 'approver');
  const tokens = (data?.tokens ?? []).toSorted((one, other) => (one.createdAt < other.createdAt ? 1 : -1));
  return (
    <section>
      <h1>Join tokens</h1>
      <p>With a join token, a host can only request to join.</p>
      {may && <NewToken onMade={reload} />}
      <Problem text={error} />
      {data !== undefined && tokens.length === 0 && (
        <Empty title="There are no join tokens.">
          {may ? <p>Create one: the page then shows the command for the host.</p> : undefined}
        </Empty>
      )}
      {tokens.length > 0 && <Tokens tokens={tokens} now={now} may={may} onRemove={setRemoving} />}
      {removing !== undefined && (
        <Removal
          token={removing}
          onClose={() => {
            setRemoving(undefined);
            reload();
          }}
        />
      )}
    </section>
  );
}

/** A newly created token. */
interface Made {
  path: string;
  server: string;
  ids: string;
}

function NewToken({ onMade }: { onMade: () => void }) {
  const [minutes, setMinutes] = useState(15);
  const [uses, setUses] = useState(1);
  const [ids, setIds] = useState('');
  const [made, setMade] = useState<Made | undefined>();
  const [problem, setProblem] = useState('');
  const make = () => {
    setProblem('');
    setMade(undefined);
    post<Omit<Made, 'ids'>>('/tokens', { ttlSeconds: minutes * 60, uses, ...(ids !== '' && { ids }) }).then(
      ({ path, server }) => {
        setMade({ path, server, ids });
        onMade();
      },
      (error: unknown) => setProblem(errorText(error)),
    );
  };
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault();
        make();
      }}
    >
      <label class="field">
        Valid for (minutes)
        <input
          type="number"
          min={1}
          max={525_600}
          required
          value={minutes}
          onInput={({ currentTarget }) => setMinutes(Number(currentTarget.value))}
        />
      </label>
      <label class="field">
        Peels that may join
        <input
          type="number"
          min={1}
          max={1_000_000}
          required
          value={uses}
          onInput={({ currentTarget }) => setUses(Number(currentTarget.value))}
        />
      </label>
      <label class="field grow">
        Only IDs that match (optional)
        <input placeholder="web-*" value={ids} onInput={({ currentTarget }) => setIds(currentTarget.value)} />
      </label>
      <button class="primary" type="submit">
        Create a join token
      </button>
      <div class="whole-line">
        <Problem text={problem} />
        {made !== undefined && (
          <div class="notice" role="status">
            <p>
              The token is in a file on the machine that serves this page, readable by its owner only:{' '}
              <code>{printable(made.path)}</code>
            </p>
            <p>Run there, or on another host with a copy of the file:</p>
            <Command text={joinCommand(made)} />
            <p>
              It shows a fingerprint and waits. Then accept the peel under <a href="#/pending">Pending</a>.
            </p>
          </div>
        )}
      </div>
    </form>
  );
}

function Tokens({
  tokens,
  now,
  may,
  onRemove,
}: {
  tokens: readonly Token[];
  now: number;
  may: boolean;
  onRemove: (token: Token) => void;
}) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="join tokens">
      <table>
        <thead>
          <tr>
            <th scope="col">ID</th>
            <th scope="col">State</th>
            <th scope="col">Used</th>
            <th scope="col">For IDs</th>
            <th scope="col">Created</th>
            <th scope="col">Expires</th>
            {may && <th scope="col">Remove</th>}
          </tr>
        </thead>
        <tbody>
          {tokens.slice(0, 500).map((token) => (
            <tr key={token.id}>
              <td>
                <code>{printable(token.id)}</code>
              </td>
              <td>
                <State of={token.state} />
              </td>
              <td>
                {token.used} of {token.uses}
              </td>
              <td>
                <Text of={token.ids ?? 'any'} />
              </td>
              <td>
                <Time at={token.createdAt} now={now} /> by <Text of={token.createdBy} />
              </td>
              <td>
                <Time at={token.expiresAt} now={now} />
              </td>
              {may && (
                <td>
                  {token.state === 'open' && (
                    <button class="danger" aria-label={`Remove ${token.id}`} onClick={() => onRemove(token)}>
                      Remove
                    </button>
                  )}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Removal({ token, onClose }: { token: Token; onClose: () => void }) {
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const remove = () => {
    setBusy(true);
    ask('DELETE', `/tokens/${token.id}`).then(onClose, (error: unknown) => {
      setBusy(false);
      setProblem(errorText(error));
    });
  };
  return (
    <Dialog title={`Remove the join token ${token.id}?`} onClose={onClose} closable={!busy}>
      <ul>
        <li>No host can join with it any more, and its connections are cut.</li>
        <li>Peels that have joined with it stay.</li>
      </ul>
      <Problem text={problem} />
      <div class="buttons">
        <button onClick={onClose} autofocus disabled={busy}>
          Cancel
        </button>
        <button class="danger" onClick={remove} disabled={busy}>
          Remove
        </button>
      </div>
    </Dialog>
  );
}
