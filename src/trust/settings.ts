// Reads and writes the home's zester.json.
import * as v from 'valibot';
import { TrustError } from '../errors.js';
import { readSmallFile } from '../files/read-small-file.js';
import { writeSecretFile } from '../files/write-secret-file.js';
import { recordOf } from '../options/record-of.js';
import { isMasterName } from '../permissions/master-label.js';
import { parseStrictJson } from '../jwt/strict-json.js';

/** The layout version that this program writes, and the newest that it reads. */
export const LAYOUT_VERSION = 1;

const MAX_SETTINGS_BYTES = 64 * 1024;

const party = { name: v.string(), publicKey: v.string() };

const schema = v.looseObject({
  version: v.literal(LAYOUT_VERSION),
  createdAt: v.string(),
  operator: v.looseObject({ ...party, signingKey: v.string() }),
  systemAccount: v.looseObject(party),
  account: v.looseObject({ ...party, peelSigningKey: v.string(), joinSigningKey: v.optional(v.string()) }),
  servers: v.optional(v.union([v.string(), v.array(v.string())])),
  tls: v.optional(
    v.looseObject({
      caFile: v.optional(v.string()),
      certFile: v.optional(v.string()),
      keyFile: v.optional(v.string()),
    }),
  ),
  requireTls: v.optional(v.boolean()),
  peelKeyRotation: v.optional(v.looseObject({ from: v.string(), to: v.string(), startedAt: v.string() })),
  keysAdded: v.optional(v.record(v.string(), v.string())),
  replacedJwts: v.optional(v.record(v.string(), v.number())),
  master: v.optional(
    v.looseObject({
      name: v.pipe(v.string(), v.check(isMasterName, 'is not a master name')),
      systemSigningKey: v.optional(v.string()),
      untold: v.optional(v.boolean()),
    }),
  ),
  renewal: v.optional(
    v.looseObject({
      masterSigningKey: v.string(),
      answersSigningKey: v.string(),
      systemSigningKey: v.string(),
      adminSigningKey: v.optional(v.string()),
      endorsements: v.string(),
      lifetime: v.pipe(v.number(), v.integer(), v.minValue(1)),
    }),
  ),
  knownMasters: v.optional(recordOf(v.array(v.string()))),
});

/** The content of `zester.json`: names, public keys, the version of the layout. No secrets. */
export interface TrustSettings {
  version: typeof LAYOUT_VERSION;
  /** ISO 8601. */
  createdAt: string;
  operator: { name: string; publicKey: string; signingKey: string };
  systemAccount: { name: string; publicKey: string };
  account: {
    name: string;
    publicKey: string;
    peelSigningKey: string;
    /** Absent: the home predates join tokens. */
    joinSigningKey?: string | undefined;
  };
  /** The fleet's servers, as given to `init --servers` or edited by hand; a string may be a comma-separated list. */
  servers?: string | string[] | undefined;
  /** The TLS files; relative paths are relative to the home. */
  tls?:
    | { caFile?: string | undefined; certFile?: string | undefined; keyFile?: string | undefined }
    | undefined;
  /** Refuse plain connections, except to this machine. */
  requireTls?: boolean | undefined;
  /** An unfinished `zester keys rotate peel-signing`. */
  peelKeyRotation?: PeelKeyRotation | undefined;
  /** The times (ISO 8601) at which signing keys were added after `init`, by public key. */
  keysAdded?: Record<string, string> | undefined;
  /** Users (`U…`) whose JWT was replaced: revoke it up to this time (seconds) once it is unused. */
  replacedJwts?: Record<string, number> | undefined;
  /** The master of this home; absent: the first master, in the home that `init` created. */
  master?: HomeMaster | undefined;
  /** The keys that renew the home's own credentials; absent: those never expire. */
  renewal?: OwnRenewal | undefined;
  /** The users (`U…`) of masters whose signing keys have no label, by master name. */
  knownMasters?: Record<string, string[]> | undefined;
}

/** A peel signing key that is being replaced by another. */
export interface PeelKeyRotation {
  /** `A…`: the old key, which is removed at the end. */
  from: string;
  /** `A…`: the new key, which signs from now on. */
  to: string;
  /** ISO 8601. */
  startedAt: string;
}

/** The signing keys (`A…`) that renew the home's own credentials, and the lifetime. */
export interface OwnRenewal {
  masterSigningKey: string;
  answersSigningKey: string;
  systemSigningKey: string;
  /** Absent: the home has no admin. */
  adminSigningKey?: string | undefined;
  /** Proves to peels that `masterSigningKey` signs masters: see `endorse`. */
  endorsements: string;
  /** In seconds. */
  lifetime: number;
}

/** The master of a home that comes from an invitation. */
export interface HomeMaster {
  name: string;
  /** Its signing key of the system account (`A…`). */
  systemSigningKey?: string | undefined;
  /** The installation of the home has not been audited yet. */
  untold?: boolean | undefined;
}

/** @throws FileError */
export async function writeSettings(path: string, settings: TrustSettings): Promise<void> {
  await writeSecretFile(path, Buffer.from(`${JSON.stringify(settings, null, 2)}\n`));
}

/** @throws TrustError `ERR_TRUST_VERSION`, `ERR_TRUST_SETTINGS`; FileError */
export async function readSettings(path: string): Promise<TrustSettings> {
  return parseSettings(path, await readSmallFile(path, MAX_SETTINGS_BYTES));
}

/** Parses the content of a `zester.json`. @throws TrustError `ERR_TRUST_VERSION`, `ERR_TRUST_SETTINGS` */
export function parseSettings(path: string, content: Uint8Array): TrustSettings {
  const bad = (why: string, cause?: unknown) =>
    new TrustError('ERR_TRUST_SETTINGS', path, `${path} cannot be used: ${why}; restore it from a backup`, {
      cause,
    });
  let json: unknown;
  try {
    json = parseStrictJson(content);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw bad(`it ${cause.message}`, cause);
  }
  const { version } = typeof json === 'object' && json !== null ? (json as { version?: unknown }) : {};
  if (typeof version === 'number' && version > LAYOUT_VERSION) {
    throw new TrustError(
      'ERR_TRUST_VERSION',
      path,
      `${path} was written by a newer zester (layout ${version}, this one knows ${LAYOUT_VERSION}): install that version`,
    );
  }
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw bad(`at "${v.getDotPath(issue) ?? ''}" ${issue.message}`);
  }
  return parsed.output;
}
