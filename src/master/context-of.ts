// contextOf: the internal context of a master, for this package's own code and tests.
import type { MasterContext } from './context.js';
import type { Master } from './master.js';

/** Not a member of the master, because a program could then change it. */
const contexts = new WeakMap<object, MasterContext>();

/** Remembers the context of a master. */
export function keepContext(master: Pick<Master, 'id'>, context: MasterContext): void {
  contexts.set(master, context);
}

/** The context of a master that `startMaster` returned. @throws TypeError for any other object */
export function contextOf(master: Pick<Master, 'id'>): MasterContext {
  const context = contexts.get(master);
  if (context === undefined) throw new TypeError('not a master of startMaster()');
  return context;
}
