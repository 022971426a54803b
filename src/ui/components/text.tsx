// Shows text that others chose, times and states.
import { printable } from '../../text/printable.js';
import { fullTime, timeWords } from '../times.js';

/** Text of a peel, a server or a file: as text, and nothing in it is invisible or turns the line around. */
export function Text({ of }: { of: string | null | undefined }) {
  return <bdi>{of === null || of === undefined || of === '' ? '–' : printable(of)}</bdi>;
}

/** A time in words; the tooltip has the date. */
export function Time({ at, now, none = '–' }: { at: string | null; now: number; none?: string }) {
  if (at === null) return <span>{none}</span>;
  return (
    <time dateTime={at} title={fullTime(at)}>
      {timeWords(at, now)}
    </time>
  );
}

export function State({ of }: { of: string }) {
  return <span class={`state state-${/^[a-z-]+$/.test(of) ? of : 'other'}`}>{printable(of)}</span>;
}

export function Connected({ is }: { is: boolean }) {
  return <span class={is ? 'dot dot-on' : 'dot'}>{is ? 'connected' : 'not connected'}</span>;
}

/** A fingerprint in the groups that people compare. */
export function Fingerprint({ of, large = false }: { of: string | null; large?: boolean }) {
  return <code class={large ? 'fingerprint large' : 'fingerprint'}>{of ?? '–'}</code>;
}

/** What a view shows while it has nothing else. */
export function Empty({ title, children }: { title: string; children?: preact.ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** An error of an answer, read out. */
export function Problem({ text }: { text: string }) {
  if (text === '') return null;
  return (
    <p class="problem" role="alert">
      {printable(text)}
    </p>
  );
}
