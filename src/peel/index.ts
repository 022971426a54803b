// The public API of `zester/peel`.

/**
 * The peel: what runs on each host of the fleet. `startPeel` connects, runs commands, and keeps its credential
 * good; `joinFleet` gets the first one, and `recoverCredentials` another once it has expired. Importing this starts nothing.
 *
 * @packageDocumentation
 * @module zester/peel
 */
export { startPeel, type Peel, type PeelEnd, type PeelOptions, type PeelSettings } from './peel.js';
export type { PeelEvent } from './events.js';
export type { PeelHealth } from './health.js';
export type { Handler, HandlerContext } from './handlers.js';
export type { PeelFacts } from './built-in-handlers.js';
export {
  recoverCredentials,
  type RecoverEvent,
  type RecoverOptions,
  type RecoverResult,
  type RecoverSettings,
} from './recover.js';
export { joinFleet, type JoinEvent, type JoinOptions, type JoinResult } from './join.js';
