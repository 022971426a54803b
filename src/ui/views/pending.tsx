// Pending peels, with the fingerprints to compare.
import { useMemo, useState } from 'preact/hooks';
import { printable } from '../../text/printable.js';
import { hasRole } from '../actions.js';
import { Confirm, type Asked, type Done } from '../components/confirm.js';
import { Empty, Fingerprint, Text, Time } from '../components/text.js';
import { chooseRows, EVERYTHING, type Row } from '../rows.js';
import { useNow, useStore } from '../use-store.js';

/** Maximum number of rendered cards; the others follow once these are decided. */
const SHOWN = 100;

export function PendingView() {
  const store = useStore();
  const now = useNow();
  const [asked, setAsked] = useState<Asked | undefined>();
  const [decided, setDecided] = useState<Done | undefined>();
  const rows = useMemo(
    () => chooseRows(store.rows, { ...EVERYTHING, state: 'pending' }, now),
    [store.version, now],
  );
  const may = hasRole(store.session?.role, 'approver');
  return (
    <section>
      <h1>Pending peels</h1>
      <Decided result={decided} />
      <p role="status">
        {rows.length === 0
          ? ''
          : rows.length === 1
            ? 'One peel is pending.'
            : `${rows.length.toLocaleString()} peels are pending.`}
      </p>
      {rows.length === 0 ? (
        <Empty title="No peels are pending.">
          <p>
            Create a <a href="#/tokens">join token</a>: the page then shows the command for the host.
          </p>
        </Empty>
      ) : (
        <>
          <p>
            A joining host shows its fingerprint. Accept it only if the fingerprints match: another host could
            have requested the same ID.
          </p>
          {may && rows.length > 1 && (
            <div class="bar">
              <button onClick={() => setAsked({ action: 'accept', rows })}>Accept all {rows.length}</button>
              <button class="danger" onClick={() => setAsked({ action: 'reject', rows })}>
                Reject all {rows.length}
              </button>
            </div>
          )}
          <ul class="cards">
            {rows.slice(0, SHOWN).map((row) => (
              <Card key={row.id} row={row} now={now} may={may} onAsk={setAsked} />
            ))}
          </ul>
        </>
      )}
      <Confirm asked={asked} onClose={() => setAsked(undefined)} onDone={setDecided} />
    </section>
  );
}

/** The last decision, since the peel's card is gone. */
function Decided({ result }: { result: Done | undefined }) {
  if (result === undefined) return null;
  const { action, ids } = result;
  const [id] = ids;
  return (
    <p class="notice good" role="status">
      {ids.length === 1 && id !== undefined ? (
        <a href={`#/peels/${id}`}>{printable(id)}</a>
      ) : (
        `${ids.length.toLocaleString()} peels`
      )}{' '}
      {ids.length === 1 ? 'was' : 'were'} {action === 'accept' ? 'accepted.' : 'rejected.'}
      {action === 'accept' && ids.length === 1 && ' Its host now gets the credential.'}
    </p>
  );
}

function Card({
  row,
  now,
  may,
  onAsk,
}: {
  row: Row;
  now: number;
  may: boolean;
  onAsk: (asked: Asked) => void;
}) {
  const [typed, setTyped] = useState('');
  const given = typed.toLowerCase().replace(/[^0-9a-f]/g, '');
  const own = (row.fingerprint ?? '').replaceAll('-', '');
  const verdict =
    given === '' ? '' : given === own ? 'same' : own.startsWith(given) ? 'same so far' : 'different';
  const id = printable(row.id);
  return (
    <li class="card">
      <h2>
        <a href={`#/peels/${row.id}`}>{id}</a>
      </h2>
      <Fingerprint of={row.fingerprint} large />
      <p class="quiet">
        with <Text of={row.origin} />, <Time at={row.createdAt} now={now} />
      </p>
      <label class="field">
        Compare with the fingerprint on the host (optional)
        <input
          value={typed}
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
      </label>
      <p role="status" class={`verdict ${verdict === 'different' ? 'bad' : ''}`}>
        {verdict}
      </p>
      {may && (
        <div class="buttons">
          <button
            class="primary"
            aria-label={`Accept ${id}`}
            disabled={verdict === 'different'}
            onClick={() => onAsk({ action: 'accept', rows: [row] })}
          >
            Accept
          </button>
          <button
            class="danger"
            aria-label={`Reject ${id}`}
            onClick={() => onAsk({ action: 'reject', rows: [row] })}
          >
            Reject
          </button>
        </div>
      )}
    </li>
  );
}
