// Scrapes masters like Prometheus, and converts the samples to series for "promtool test rules".

/** A scrape of targets: the value of each series, with the labels that a scrape adds. */
export interface Scrape {
  /** Seconds since 1970. */
  at: number;
  values: ReadonlyMap<string, number>;
}

/** Scrapes targets by instance name. A target that does not answer has only `up` 0. */
export async function scrape(targets: Readonly<Record<string, string>>): Promise<Scrape> {
  const values = new Map<string, number>();
  for (const [instance, url] of Object.entries(targets)) {
    const target = `job="zester",instance="${instance}"`;
    const text = await fetch(`${url}/metrics`).then(
      (answer) => answer.text(),
      () => undefined,
    );
    values.set(`up{${target}}`, text === undefined ? 0 : 1);
    for (const [, name = '', labels, value = ''] of (text ?? '').matchAll(
      /^(zester_\w+)(?:\{(.*)\})? (\S+)$/gm,
    )) {
      const all = labels === undefined ? target : `${labels},${target}`;
      values.set(`${name}{${all}}`, Number(value.replace('Inf', 'Infinity')));
    }
  }
  return { at: Date.now() / 1000, values };
}

/** Later than any asserted time; promtool's notation has no infinity. */
const NEVER = 1e12;

/**
 * Series that begin as one scrape and go on as another, a value a minute. The clock of promtool begins in 1970: times are
 * moved, so that they are as far away at `readAt` as they were when they were scraped.
 *
 * @param changeAt the first minute of the second scrape
 * @param readAt the minute at which they are as they were
 */
export function seriesOf(
  before: Scrape,
  after: Scrape,
  { changeAt, readAt }: { changeAt: number; readAt: number },
): { series: string; values: string }[] {
  const shown = (name: string, { at, values }: Scrape): string => {
    const value = values.get(name);
    if (value === undefined) return '_';
    const moved = /_timestamp_seconds\{/.test(name) ? value - at + readAt * 60 : value;
    return String(Number.isFinite(moved) ? moved : NEVER);
  };
  return [...new Set([...before.values.keys(), ...after.values.keys()])].map((name) => ({
    series: name,
    // "stale": series that are no longer scraped end at once
    values: `${shown(name, before)}x${changeAt - 1} ${after.values.has(name) ? `${shown(name, after)}x240` : 'stale _x240'}`,
  }));
}

/** Whether a scrape has a series that a selector such as `zester_peels{state="pending"}` finds. */
export function hasSeries({ values }: Scrape, selector: string): boolean {
  const [, name = '', matchers = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(selector) ?? [];
  const wanted = [...matchers.matchAll(/(\w+)(=~|=)"([^"]*)"/g)];
  return [...values.keys()].some(
    (series) =>
      series.startsWith(`${name}{`) &&
      wanted.every(([, label = '', operator, value = '']) => {
        const own = new RegExp(`[{,]${label}="([^"]*)"`).exec(series)?.[1];
        return operator === '=' ? own === value : own !== undefined && new RegExp(`^(?:${value})$`).test(own);
      }),
  );
}
