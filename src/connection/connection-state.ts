// The state of a managed connection.

/**
 * Decides from the state of a connection what may be published or subscribed, when an outage begins and ends, when
 * draining gives up, and when to rotate. No clock, no timers, no sockets.
 */
/** How far a connection has been closed. */
export type Phase = 'open' | 'draining' | 'closed';

/** The state of a connection. */
export interface Flow {
  phase: Phase;
  /** Whether it is known to reach its server. */
  up: boolean;
  /** Publishing is held while the connection is moved or renewed. */
  held: boolean;
}

/** Operations on a connection. While draining, it still publishes and flushes, but accepts nothing new. */
export type Act = 'publish' | 'flush' | 'request' | 'subscribe' | 'drain' | 'reconnect';

/**
 * What happens to an operation: it is refused because the connection is `closed` or `draining`; otherwise it is a
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
 * What a client status means for an outage. The client also reports a disconnect for each attempt that a server
 * refuses: an outage begins with the first one and ends with a reconnect.
 *
 * @param outage whether there is one already
 * @param type the client's word for the status
 */
export function afterStatus(
  outage: boolean,
  type: string,
): { outage: boolean; event?: 'buffering' | 'reconnected' } {
  if (type === 'disconnect') return outage ? { outage } : { outage: true, event: 'buffering' };
  if (type === 'reconnect' && outage) return { outage: false, event: 'reconnected' };
  return { outage };
}

/** The next step of draining: during an outage, it waits as long as there is time. */
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
  wanted: string | undefined;
  inUse: string | undefined;
}

/**
 * How to switch to other credentials, if at all. During an outage there is no connection to move: the pending
 * reconnect reads the file itself.
 */
export function planRotation({ how, up, wanted, inUse }: RotationState): 'none' | 'reconnect' | 'hitless' {
  if (wanted === undefined || wanted === inUse) return 'none';
  return up ? how : 'reconnect';
}
