// The public API of `zester/peel`.

/**
 * The peel: the agent on each host of the fleet. `startPeel` connects, runs commands, and renews its credential;
 * `joinFleet` gets the first credential, and `recoverCredentials` a new one after expiry. Importing this starts
 * nothing.
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
