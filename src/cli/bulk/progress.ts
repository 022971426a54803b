// Shows the progress of a long command on standard error.
import type { CliIo } from '../terminal/io.js';
import { PROGRESS_LOG_MS, PROGRESS_TERMINAL_MS } from '../../timing.js';

const BAR = 24;

/**
 * The progress of a long command on standard error: one updated line on a terminal, a plain line every ten seconds
 * elsewhere, nothing with `--quiet`.
 */
export class Progress {
  readonly #io: CliIo;
  readonly #quiet: boolean;
  readonly #start: number;
  #shownAt: number;
  #shown = false;
  /** Done in this run; the rate does not include earlier ones. */
  done = 0;
  /** The completed fraction, from 0 to 1; undefined if unknown. */
  share: number | undefined;

  readonly #what: string;

  /** @param what the verb, such as `issued` */
  constructor(io: CliIo, quiet: boolean, what = 'issued') {
    this.#what = what;
    this.#io = io;
    this.#quiet = quiet;
    this.#start = this.#shownAt = io.now();
  }

  /** Sets {@link done} and {@link share}, and updates the line. */
  reach(done: number, share: number): void {
    this.done = done;
    this.share = share;
    this.update();
  }

  /** Updates the line if it is time. */
  update(): void {
    if (this.#quiet) return;
    const now = this.#io.now();
    const { isTTY } = this.#io.stderr;
    if (now - this.#shownAt < (isTTY ? PROGRESS_TERMINAL_MS : PROGRESS_LOG_MS)) return;
    this.#shownAt = now;
    const seconds = Math.max(0.001, (now - this.#start) / 1000);
    const rate = `${this.done.toLocaleString('en')} ${this.#what}, ${Math.round(this.done / seconds).toLocaleString('en')}/s`;
    const { share } = this;
    const left = share === undefined || share <= 0 ? '' : `, ${clock((seconds / share) * (1 - share))} left`;
    if (!isTTY) {
      this.#io.stderr.write(`${rate}${left}\n`);
      return;
    }
    const filled = Math.round((share ?? 0) * BAR);
    const bar = share === undefined ? '' : `[${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}] `;
    this.#io.stderr.write(`\r${bar}${rate}${left}${CLEAR_TO_END}`);
    this.#shown = true;
  }

  /** Clears the line for other output. */
  clear(): void {
    if (this.#shown) this.#io.stderr.write(`\r${CLEAR_TO_END}`);
    this.#shown = false;
  }
}

const CLEAR_TO_END = '\u001b[K';

function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
