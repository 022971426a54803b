// Credentials of a peel, for tests of its parts.
import type { CredsFile } from '../../src/creds/creds-file.js';
import { generateCredsFile } from '../../src/creds/generate.js';
import { parseCredsData } from '../../src/creds/parse.js';
import { createUserJwt, type UserJwtOptions } from '../../src/jwt/user.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';

const account = generateKeyBundle('account');

/** New credentials of the peel `web-01`, which were issued at this time and are valid for an hour. */
export function newCreds(issuedAt = Date.now(), options: Partial<UserJwtOptions> = {}): CredsFile {
  const key = generateKeyBundle('user');
  const jwt = createUserJwt(key, account, { name: 'web-01', expiry: 3_600, now: () => issuedAt, ...options });
  return parseCredsData(Buffer.from(generateCredsFile(jwt, key.seed)), 'web-01.creds');
}
