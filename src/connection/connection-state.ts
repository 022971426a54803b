// The state of a managed connection.

/**
 * What follows from how a connection is: what may be published or subscribed, when an outage begins and ends, when draining
 * gives up, when other credentials are due. No clock, no timers, no sockets.
 */
/** How far the end of a connection is. */
export type Phase = 'open' | 'draining' | 'closed';

/** How a connection is. */
export interface Flow {
  phase: Phase;
  /** Whether it is known to reach its server. */
  up: boolean;
  /** What is published waits: the connection is being moved, or renewed. */
  held: boolean;
}

/** What is asked of a connection. One that drains still publishes and flushes, and takes nothing new. */
export type Act = 'publish' | 'flush' | 'request' | 'subscribe' | 'drain' | 'reconnect';

/**
 * What becomes of something that is asked of a connection: it is refused because that is `closed` or `draining`; else it is
 * to `send` at once, or to `keep` until it can be sent.
 *
 * @example admit({ phase: 'open', up: false, held: false }, 'publish'); // 'keep'
 */
export function admit({ phase, up, held }: Flow, act: Act): 'send' | 'keep' | 'closed' | 'draining' {
  if (phase === 'closed') return 'closed';
  if (phase === 'draining' && act !== 'publish' && act !== 'flush') return 'draining';
  return up && !held ? 'send' : 'keep';
}

/**
 * What a status of the client says of an outage. Each attempt that a server refuses is a disconnect, too: an outage begins
 * with the first one, and ends with a reconnect.
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

/** What draining does next: it waits for the end of an outage for as long as there is time. */
export function drainStep(flow: Flow, leftMs: number): 'drain' | 'wait' | 'giveUp' {
  if (flow.phase === 'closed') return 'giveUp';
  if (flow.up && !flow.held) return 'drain';
  return leftMs > 0 ? 'wait' : 'giveUp';
}

/** What a rotation depends on. */
export interface RotationState {
  /** The configured way to switch. */
  how: 'reconnect' | 'hitless';
  up: boolean;
  /** The JWT that should be in use, and the JWT in use. */
  wanted: string | undefined;
  inUse: string | undefined;
}

/**
 * How to switch to other credentials, if at all. During an outage there is no connection to move: the pending reconnect
 * reads the file itself.
 */
export function planRotation({ how, up, wanted, inUse }: RotationState): 'none' | 'reconnect' | 'hitless' {
  if (wanted === undefined || wanted === inUse) return 'none';
  return up ? how : 'reconnect';
}
