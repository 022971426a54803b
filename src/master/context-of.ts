// contextOf: what a master's parts work with, for this package's own code and tests.
import type { MasterContext } from './context.js';
import type { Master } from './master.js';

/** Not a member of the master: what runs in a program's own process would be its to change. */
const contexts = new WeakMap<object, MasterContext>();

/** Remembers the context of a master. */
export function keepContext(master: Pick<Master, 'id'>, context: MasterContext): void {
  contexts.set(master, context);
}

/** The context of a master that `startMaster` gave. @throws TypeError of any other object */
export function contextOf(master: Pick<Master, 'id'>): MasterContext {
  const context = contexts.get(master);
  if (context === undefined) throw new TypeError('not a master of startMaster()');
  return context;
}
