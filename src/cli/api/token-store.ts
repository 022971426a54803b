// The bearer tokens of the HTTP interface: a file of the home with their digests.
import { createHash, randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { FileError, TrustError, UsageError } from '../../errors.js';
import { readTextFile } from '../../files/read-small-file.js';
import { writeSecretFile } from '../../files/write-secret-file.js';
import { ADMIN_ROLES, type AdminRole } from '../../permissions/admin-roles.js';
import { parseJson } from '../../protocol/messages.js';
import { API_TOKENS_FILE } from '../../trust/paths.js';
import { withHomeLock, type HomeLockOptions } from '../../trust/lock.js';

/** A stored bearer token, without its secret. */
export interface ApiToken {
  name: string;
  role: AdminRole;
  /** SHA-256 of the token, in hexadecimal. */
  digest: string;
  /** ISO 8601. */
  createdAt: string;
  expiresAt: string;
}

/** Valid token names. */
export const TOKEN_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/**
 * Refuses a token where its name belongs: names are listed and stored, and errors repeat them.
 *
 * @throws UsageError, without the token
 */
export function refuseSecret(name: string): void {
  if (!/^zester_[A-Za-z0-9_-]{43}$/.test(name)) return;
  throw new UsageError(
    'a token was given where its name belongs, and command lines are visible in process lists: find its name with ' +
      '"zester api list-tokens", and remove it',
  );
}

const MAX_TOKENS = 1_000;
const MAX_BYTES = 1024 * 1024;

const storeSchema = v.object({
  version: v.literal(1),
  tokens: v.pipe(
    v.array(
      v.object({
        name: v.pipe(v.string(), v.regex(TOKEN_NAME)),
        role: v.picklist(ADMIN_ROLES),
        digest: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
        createdAt: v.pipe(v.string(), v.isoTimestamp()),
        expiresAt: v.pipe(v.string(), v.isoTimestamp()),
      }),
    ),
    v.maxLength(MAX_TOKENS),
  ),
});

/** The file of a home's tokens. */
export function tokenFile(home: string): string {
  return join(home, API_TOKENS_FILE);
}

/**
 * The tokens of a home; none if there is no file.
 *
 * @throws TrustError `ERR_TRUST_DAMAGED` when the file is invalid: no token works then
 */
export async function readApiTokens(home: string): Promise<ApiToken[]> {
  const path = tokenFile(home);
  const text = await readTextFile(path, MAX_BYTES);
  if (text === undefined) return [];
  const parsed = v.safeParse(storeSchema, parseJson(text));
  if (parsed.success) return parsed.output.tokens;
  throw new TrustError(
    'ERR_TRUST_DAMAGED',
    home,
    `${path} is damaged: delete it, and create the tokens again with "zester api create-token"`,
  );
}

/** The options for creating a token. */
export interface NewApiToken extends HomeLockOptions {
  name: string;
  role: AdminRole;
  lifetimeSeconds: number;
  /** Milliseconds since 1970. */
  now: number;
  /** Delivers the token to its user. The token is not created if this throws. */
  deliver?: (secret: string) => Promise<void>;
}

/**
 * Creates a token while holding the home's lock.
 *
 * @returns the token: it is not stored, so it cannot be shown again
 * @throws FileError `ERR_FILE_EXISTS` when an unexpired one has this name; TrustError `ERR_TRUST_OPTIONS` when the
 *   maximum is reached, `ERR_TRUST_LOCKED`; errors of `deliver`
 */
export function addApiToken(
  home: string,
  options: NewApiToken,
): Promise<{ secret: string; token: ApiToken }> {
  const { name, role, lifetimeSeconds, now, deliver } = options;
  const add = async () => {
    const before = await readApiTokens(home);
    const kept = before.filter(({ expiresAt }) => Date.parse(expiresAt) > now);
    if (kept.some((token) => token.name === name)) {
      const words = `there is an API token "${name}" already: choose another name, or remove it first`;
      throw new FileError('ERR_FILE_EXISTS', tokenFile(home), words);
    }
    // a longer list would be unreadable, and no token would work
    if (kept.length >= MAX_TOKENS) {
      const words = `there are ${kept.length} API tokens, the maximum: remove unused ones`;
      throw new TrustError('ERR_TRUST_OPTIONS', home, words);
    }
    const secret = `zester_${randomBytes(32).toString('base64url')}`;
    const token: ApiToken = {
      name,
      role,
      digest: digestOf(secret),
      createdAt: new Date(now).toISOString(),
      expiresAt: new Date(now + lifetimeSeconds * 1000).toISOString(),
    };
    await write(home, [...kept, token]);
    try {
      await deliver?.(secret);
    } catch (error) {
      await write(home, before).catch(() => undefined);
      throw error;
    }
    return { secret, token };
  };
  return withHomeLock(home, 'zester api create-token', add, options);
}

/**
 * Removes a token while holding the home's lock.
 *
 * @returns whether it existed
 * @throws TrustError `ERR_TRUST_LOCKED`
 */
export function removeApiToken(home: string, name: string, options: HomeLockOptions = {}): Promise<boolean> {
  const remove = async () => {
    const tokens = await readApiTokens(home);
    const others = tokens.filter((token) => token.name !== name);
    if (others.length === tokens.length) return false;
    await write(home, others);
    return true;
  };
  return withHomeLock(home, 'zester api remove-token', remove, options);
}

async function write(home: string, tokens: readonly ApiToken[]): Promise<void> {
  const text = `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`;
  await writeSecretFile(tokenFile(home), Buffer.from(text));
}

/** The digest of a token. */
function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Looks up tokens in the current file, so a removed one stops working at once. */
export class ApiTokens {
  readonly #home: string | undefined;
  readonly #now: () => number;
  #read: { version: string; byDigest: ReadonlyMap<string, ApiToken> } | undefined;

  /** @param home undefined: there are no tokens */
  constructor(home: string | undefined, now: () => number) {
    this.#home = home;
    this.#now = now;
  }

  /** The token with this text; undefined if it is unknown or expired. */
  async find(secret: string): Promise<ApiToken | undefined> {
    const token = (await this.#current()).get(digestOf(secret));
    return token === undefined || Date.parse(token.expiresAt) <= this.#now() ? undefined : token;
  }

  async #current(): Promise<ReadonlyMap<string, ApiToken>> {
    if (this.#home === undefined) return new Map();
    const stats = await stat(tokenFile(this.#home)).catch(() => undefined);
    const version = stats === undefined ? 'none' : `${stats.ino} ${stats.mtimeMs} ${stats.size}`;
    if (this.#read?.version !== version) {
      const tokens = await readApiTokens(this.#home);
      this.#read = { version, byDigest: new Map(tokens.map((token) => [token.digest, token])) };
    }
    return this.#read.byDigest;
  }
}
