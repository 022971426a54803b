// The built-in handler `facts`.
import { expirySeconds } from '../jwt/expiry.js';
import { hostname } from 'node:os';
import { packageVersion } from '../protocol/package-version.js';
import type { UserClaims } from '../jwt/claims.js';
import { isoTime } from '../jwt/time.js';

/** What the handler `facts` answers. Nothing of it comes from the environment, where secrets may be. */
export interface PeelFacts {
  peelId: string;
  hostname: string;
  platform: string;
  arch: string;
  /** The versions of Node and of this package. */
  node: string;
  zester: string;
  /** Seconds that this process has run. */
  uptime: number;
  /** The credential in use. Times are ISO 8601; without `expires` it does not expire. */
  credential: { publicKey: string; issued: string; expires?: string };
}

/** The facts of this process and its credential. */
export function factsOf(peelId: string, claims: UserClaims): PeelFacts {
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
