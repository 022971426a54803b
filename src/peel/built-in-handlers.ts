// The handlers that every peel has: ping and facts.
import { expirySeconds } from '../jwt/expiry.js';
import { hostname } from 'node:os';
import { packageVersion } from '../protocol/package-version.js';
import type { UserClaims } from '../jwt/claims.js';
import { isoTime } from '../jwt/time.js';

/** The answer of the handler `facts`. None of it comes from the environment, which may contain secrets. */
export interface PeelFacts {
  peelId: string;
  hostname: string;
  /** `process.platform` of Node.js. */
  platform: string;
  /** `process.arch` of Node.js. */
  arch: string;
  /** The versions of Node and of this package. */
  node: string;
  zester: string;
  /** Seconds that this process has run. */
  uptime: number;
  /** The credential in use. Times are ISO 8601; without `expires` it does not expire. */
  credential: { publicKey: string; issued: string; expires?: string };
  /** The program's own facts, from the option `facts` of `startPeel`. */
  own?: unknown;
}

/** The dependencies of the built-in handlers. */
export interface BuiltInContext {
  peelId: string;
  /** The claims of the credential in use. */
  claims: () => UserClaims;
  /** This host's time, in milliseconds since 1970. */
  now: () => number;
  /** The program's own facts; undefined: it has none. */
  own: () => unknown;
}

/** The built-in handlers, by name. A program cannot replace them. */
export const BUILT_IN_HANDLERS = {
  ping: ({ peelId, now }) => ({ pong: true, peelId, time: new Date(now()).toISOString() }),
  facts: async ({ peelId, claims, own }) => {
    const added = await own();
    return { ...factsOf(peelId, claims()), ...(added !== undefined && { own: added }) };
  },
} satisfies Record<string, (context: BuiltInContext) => object | Promise<object>>;

function factsOf(peelId: string, claims: UserClaims): PeelFacts {
  const { sub, iat } = claims;
  const expiry = expirySeconds(claims);
  return {
    peelId,
    hostname: hostname(),
    platform: process.platform,
    arch: process.arch,
    node: process.versions.node,
    zester: packageVersion(),
    uptime: Math.floor(process.uptime()),
    credential: {
      publicKey: sub,
      issued: isoTime(iat),
      ...(expiry !== undefined && { expires: isoTime(expiry) }),
    },
  };
}
