// The state of a managed connection.

/**
 * Decides from the state of a connection what may be published or subscribed, when an outage begins and ends, when
 * draining gives up, and when to rotate. No clock, no timers, no sockets.
 */
/** The phases of a connection's life. */
export type Phase = 'open' | 'draining' | 'closed';

/** The state of a connection. */
export interface Flow {
  phase: Phase;
  /** Whether it is known to reach its server. */
  up: boolean;
  /** Whether publishing is on hold, while the connection is moved or renewed. */
  held: boolean;
}

/** Operations on a connection. While draining, it still publishes and flushes, but accepts nothing new. */
export type Act = 'publish' | 'flush' | 'request' | 'subscribe' | 'drain' | 'reconnect';

/**
 * Decides about an operation: it is refused because the connection is `closed` or `draining`; otherwise it is a
 * `send` now, or a `keep` until it can be sent.
 *
 * @example admit({ phase: 'open', up: false, held: false }, 'publish'); // 'keep'
 */
export function admit({ phase, up, held }: Flow, act: Act): 'send' | 'keep' | 'closed' | 'draining' {
  if (phase === 'closed') return 'closed';
  if (phase === 'draining' && act !== 'publish' && act !== 'flush') return 'draining';
  return up && !held ? 'send' : 'keep';
}

/**
 * Derives the start and end of an outage from a client status. The client also reports a disconnect for each attempt
 * that a server refuses: an outage begins with the first one and ends with a reconnect.
 *
 * @param outage whether an outage is already going on
 * @param type the client's name of the status
 */
export function afterStatus(
  outage: boolean,
  type: string,
): { outage: boolean; event?: 'buffering' | 'reconnected' } {
  if (type === 'disconnect') return outage ? { outage } : { outage: true, event: 'buffering' };
  if (type === 'reconnect' && outage) return { outage: false, event: 'reconnected' };
  return { outage };
}

/** The next step of draining: during an outage, wait until the deadline. */
export function drainStep(flow: Flow, leftMs: number): 'drain' | 'wait' | 'giveUp' {
  if (flow.phase === 'closed') return 'giveUp';
  if (flow.up && !flow.held) return 'drain';
  return leftMs > 0 ? 'wait' : 'giveUp';
}

/** The inputs of a rotation. */
export interface RotationState {
  /** The configured way to switch. */
  how: 'reconnect' | 'hitless';
  up: boolean;
  /** The JWT that should be in use, and the JWT in use. */
  target: string | undefined;
  inUse: string | undefined;
}

/**
 * Decides how to switch to other credentials, if at all. During an outage, there is no connection to move: the next
 * reconnect reads the file anyway.
 */
export function planRotation({ how, up, target, inUse }: RotationState): 'none' | 'reconnect' | 'hitless' {
  if (target === undefined || target === inUse) return 'none';
  return up ? how : 'reconnect';
}
