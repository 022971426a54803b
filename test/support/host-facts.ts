import { hostname } from 'node:os';
import { expect } from 'vitest';
import { packageVersion } from '../../src/protocol/package-version.js';

/** What the built-in handler `facts` of this process answers of its host. */
export function hostFacts() {
  return {
    hostname: hostname(),
    platform: process.platform,
    arch: process.arch,
    node: process.versions.node,
    zester: packageVersion(),
    uptime: expect.any(Number) as number,
  };
}
