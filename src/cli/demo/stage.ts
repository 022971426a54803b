// The shared state of the demo's steps: directory, keys, connections, assertions.
import type { ZesterConnection } from '../../connection/connect.js';
import { ExpectationError } from '../../errors.js';
import type { RunningNatsServer } from '../../nats-server/run.js';
import type { TrustDomain } from '../../trust/domain.js';
import { DEMO_TIMEOUT_MS } from '../../timing.js';

/** The peel of the demo, and another one whose subjects it must not use. */
export const PEEL_ID = 'web-server-01';
export const OTHER_PEEL_ID = 'web-server-02';

/** The state that a step passes to later ones. */
export class Stage {
  /** The temporary home. */
  readonly home: string;
  domain = later<TrustDomain>('domain');
  configPath = later<string>('configPath');
  server = later<RunningNatsServer>('server');
  credsPath = later<string>('credsPath');
  peel = later<ZesterConnection>('peel');
  master = later<ZesterConnection>('master');
  readonly #endings: (() => Promise<unknown>)[] = [];

  constructor(home: string) {
    this.home = home;
  }

  /** Registers a clean-up action; they run last first. */
  atEnd(end: () => Promise<unknown>): void {
    this.#endings.unshift(end);
  }

  /** Runs all clean-up actions, even after failures. @throws the first failure */
  async end(): Promise<void> {
    const results = [];
    for (const end of this.#endings.splice(0)) results.push(await Promise.allSettled([end()]));
    const failed = results.flat().find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}

/** One step: returns a description of its result, and throws if it is not the expected one. */
export interface DemoStep {
  step: string;
  run(stage: Stage): Promise<string>;
}

/** A value that an earlier step sets. */
export interface Later<T> {
  get(): T;
  set(value: T): T;
  readonly isSet: boolean;
}

function later<T>(name: string): Later<T> {
  let held: { value: T } | undefined;
  return {
    get: () => {
      if (held === undefined) throw new ExpectationError(`the demo has no ${name} yet`);
      return held.value;
    },
    set: (value) => {
      held = { value };
      return value;
    },
    get isSet() {
      return held !== undefined;
    },
  };
}

/** @throws ExpectationError when `holds` is false */
export function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new ExpectationError(otherwise);
}

/**
 * Waits for an event.
 *
 * @param listen gets the function to call with the event's value
 * @throws ExpectationError when it does not arrive in time
 */
export function within<T>(what: string, listen: (done: (value: T) => void) => void): Promise<T> {
  const arrival = new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new ExpectationError(`${what} did not arrive within ${DEMO_TIMEOUT_MS / 1000} s`));
    }, DEMO_TIMEOUT_MS);
    listen((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
  // a step that fails first never awaits it, and an unhandled rejection would end the program
  arrival.catch(() => undefined);
  return arrival;
}
