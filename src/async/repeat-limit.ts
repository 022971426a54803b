// RepeatLimit: limits what is reported of things that others can cause: the first of each kind at once, then a count.

/** The limits of a {@link RepeatLimit}. */
export interface RepeatLimitOptions<T> {
  windowMs: number;
  /** How many of a kind are reported at once in a window; 1 by default. */
  atOnce?: number;
  /** How many kinds of a source are distinguished in a window; the others are counted together. */
  kinds: number;
  /** How many sources are distinguished in a window; the others are counted together. No limit by default. */
  sources?: number;
  /**
   * Reports `count` things of one kind, of which `thing` is one.
   *
   * @param isOfMany whether sources were counted together
   */
  report: (thing: T, count: number, isOfMany: boolean) => void;
}

interface Counted<T> {
  thing: T;
  reported: number;
  /** Things since the last report. */
  more: number;
  isOfMany: boolean;
}

/** The source that stands for all further ones: no name of a source is empty. */
const OTHERS = '';

/**
 * Reports the first things of a kind at once, and the number of the others when the window ends. A window begins with the
 * first thing. Whatever a source invents, the number of reports in a window is limited.
 */
export class RepeatLimit<T> {
  readonly #options: RepeatLimitOptions<T>;
  readonly #sources = new Map<string, Map<string, Counted<T>>>();
  #window: NodeJS.Timeout | undefined;

  constructor(options: RepeatLimitOptions<T>) {
    this.#options = options;
  }

  /**
   * Counts a thing, and reports it if it is one of the first.
   *
   * @param of.kind what makes it the same as another one
   * @param of.rest the kind that it is counted as when its source has too many kinds
   */
  note(thing: T, { source = 'all', kind, rest }: { source?: string; kind: string; rest: string }): void {
    const { windowMs, atOnce = 1, kinds, sources = Infinity, report } = this.#options;
    this.#window ??= setTimeout(() => this.#end(), windowMs).unref();
    const isOfMany = !this.#sources.has(source) && this.#sources.size >= sources;
    const name = isOfMany ? OTHERS : source;
    const known = this.#sources.get(name) ?? new Map<string, Counted<T>>();
    this.#sources.set(name, known);
    const key = known.has(kind) || known.size < kinds ? kind : `${rest} and others`;
    const counted = known.get(key) ?? { thing, reported: 0, more: 0, isOfMany };
    known.set(key, counted);
    if (counted.reported >= atOnce) {
      counted.more += 1;
      return;
    }
    counted.reported += 1;
    report(thing, 1, isOfMany);
  }

  /** Reports what was counted but not yet reported. */
  close(): void {
    clearTimeout(this.#window);
    this.#end();
  }

  #end(): void {
    this.#window = undefined;
    const ended = [...this.#sources.values()];
    this.#sources.clear();
    for (const kinds of ended) {
      for (const { thing, more, isOfMany } of kinds.values())
        if (more > 0) this.#options.report(thing, more, isOfMany);
    }
  }
}
