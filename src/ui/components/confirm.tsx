// The confirmation of an action on peels, and its progress.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { printable } from '../../text/printable.js';
import { consequencesOf, perform, type Action, type Progress } from '../actions.js';
import type { Row } from '../rows.js';

/** An action to confirm. */
export interface Asked {
  action: Action;
  rows: readonly Row[];
}

/** The result of an action. */
export interface Done {
  action: Action;
  /** The peels for which it succeeded. */
  ids: readonly string[];
}

interface ConfirmProps {
  onClose: () => void;
  /** Called when it has ended, if it succeeded for a peel. */
  onDone?: (done: Done) => void;
}

/** The dialog of an action: first the consequences, then the progress. */
export function Confirm({ asked, ...props }: ConfirmProps & { asked: Asked | undefined }) {
  if (asked === undefined) return null;
  return <ConfirmDialog key={`${asked.action} ${asked.rows.length}`} asked={asked} {...props} />;
}

function ConfirmDialog({ asked, onClose, onDone }: ConfirmProps & { asked: Asked }) {
  const { action, rows } = asked;
  const [reason, setReason] = useState('');
  const [progress, setProgress] = useState<Progress | undefined>();
  const [ended, setEnded] = useState(false);
  const stop = useRef(new AbortController());
  const start = async () => {
    setProgress({ action, total: rows.length, done: [], failed: [], stopped: false });
    const result = await perform(action, rows, reason.trim(), {
      stop: stop.current.signal,
      onProgress: setProgress,
    });
    setProgress(result);
    setEnded(true);
    if (result.done.length > 0) onDone?.({ action, ids: result.done });
    if (result.failed.length === 0 && !result.stopped && rows.length === 1) onClose();
  };
  const { title, lines, button, danger } = consequencesOf(action, rows);
  return (
    <Dialog title={title} onClose={onClose} closable={progress === undefined || ended}>
      {progress === undefined ? (
        <form
          method="dialog"
          onSubmit={(event) => {
            event.preventDefault();
            void start();
          }}
        >
          <ul>
            {lines.map((line) => (
              <li key={line}>{printable(line)}</li>
            ))}
          </ul>
          {action !== 'rotate' && (
            <label class="field">
              Reason, for the audit log (optional)
              <input
                value={reason}
                maxLength={500}
                onInput={({ currentTarget }) => setReason(currentTarget.value)}
              />
            </label>
          )}
          <div class="buttons">
            <button type="button" onClick={onClose} autofocus>
              Cancel
            </button>
            <button type="submit" class={danger ? 'danger' : 'primary'}>
              {printable(button)}
            </button>
          </div>
        </form>
      ) : (
        <Running progress={progress} ended={ended} onStop={() => stop.current.abort()} onClose={onClose} />
      )}
    </Dialog>
  );
}

function Running({
  progress: { total, done, failed, stopped },
  ended,
  onStop,
  onClose,
}: {
  progress: Progress;
  ended: boolean;
  onStop: () => void;
  onClose: () => void;
}) {
  const rest = total - done.length - failed.length;
  return (
    <div>
      <progress max={total} value={done.length + failed.length} aria-label="progress" />
      <p role="status">
        {done.length} of {total} done{failed.length > 0 && `, ${failed.length} failed`}
        {stopped && `, stopped: ${rest} not started`}
      </p>
      {failed.length > 0 && (
        <ul class="failures" tabIndex={0} aria-label="failures">
          {failed.slice(0, 200).map(({ id, why }) => (
            <li key={id}>{printable(`${id}: ${why}`)}</li>
          ))}
        </ul>
      )}
      <div class="buttons">
        {ended ? (
          <button class="primary" onClick={onClose}>
            Close
          </button>
        ) : (
          <button onClick={onStop}>Stop</button>
        )}
      </div>
    </div>
  );
}

/** A modal dialog: the browser keeps the focus in it, and Escape closes it. */
export function Dialog({
  title,
  onClose,
  closable = true,
  children,
}: {
  title: string;
  onClose: () => void;
  closable?: boolean;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  // a layout effect: other effects are cleaned up after the next paint, and until then the focus would be lost
  useLayoutEffect(() => {
    const before = document.activeElement;
    const shown = dialog.current;
    shown?.showModal();
    return () => {
      // close first: beneath a modal dialog, nothing can receive the focus
      shown?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      tabIndex={-1}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        if (closable) onClose();
      }}
    >
      <h2 id="dialog-title">{printable(title)}</h2>
      {children}
    </dialog>
  );
}
