// Shows untrusted text, times and states.
import { printable } from '../../text/printable.js';
import { fullTime, timeWords } from '../times.js';

/** Text from a peel, a server or a file, with invisible and direction-changing characters made visible. */
export function Text({ of }: { of: string | null | undefined }) {
  return <bdi>{of === null || of === undefined || of === '' ? '–' : printable(of)}</bdi>;
}

/** A relative time; the tooltip has the date. */
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

/** The content of an empty view. */
export function Empty({ title, children }: { title: string; children?: preact.ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** An error message, announced to screen readers. */
export function Problem({ text }: { text: string }) {
  if (text === '') return null;
  return (
    <p class="problem" role="alert">
      {printable(text)}
    </p>
  );
}
