// Code coverage: V8's precise coverage of one bundle.
import { Session, type Profiler } from 'node:inspector';

/** Reports which parts of a script ran. */
export class Coverage {
  readonly #session = new Session();
  readonly #url: string;

  /** @param url of the script; other scripts do not count */
  constructor(url: string) {
    this.#url = url;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** The parts that ran since the last call. */
  take(): string[] {
    let result: Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error !== null) throw error;
      ({ result } = taken);
    });
    return result
      .filter(({ url }) => url === this.#url)
      .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges))
      .flatMap(({ startOffset, endOffset, count }) => (count > 0 ? `${startOffset}-${endOffset}` : []));
  }
}
