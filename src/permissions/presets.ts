// Presets with the narrowest permissions for JetStream, key-value buckets and object stores.
import { holdsSeed, type JwtError } from '../errors.js';
import { jwtOptionsError } from '../jwt/options-error.js';
import type { PermissionOptions } from '../jwt/permission-options.js';
import {
  bag,
  checkOptions,
  flag,
  listOf,
  text,
  textOr,
  type OptionEntries,
} from '../options/check-options.js';
import { bucketStream, BUCKETS, FLEET_STREAMS } from './names.js';
import { quoted } from '../text/quoted.js';
import { validateSubject } from './subject.js';

/** A bucket, and the permitted keys. */
export interface KvPreset {
  bucket: string;
  /**
   * One or more keys: `web-01.state`, `web-01.>` for all keys of a peel, `{{name()}}.>` in the template of a scoped
   * signing key. `>` is the whole bucket.
   */
  keys: string | readonly string[];
}

/** The options of {@link kvRead}. */
export interface KvReadPreset extends KvPreset {
  /** Whether to also allow `watch`, `keys` and `history`, which create a consumer; true by default. */
  watch?: boolean | undefined;
}

/** The options of {@link streamRead}. */
export interface StreamReadPreset {
  stream: string;
  /** One or more subjects to read; each is read separately. */
  subjects: string | readonly string[];
}

/** The options of {@link consumerRead}. */
export interface ConsumerPreset {
  stream: string;
  /**
   * A durable pull consumer. Give each peel its own: the readers of one consumer share its messages.
   */
  consumer: string;
  /** Also allow creating the consumer, with this filter. */
  createWith?: string | undefined;
}

/** The options of {@link objectStoreRead} and {@link objectStoreWrite}. */
export interface ObjectStorePreset {
  bucket: string;
}

/**
 * Permissions to read keys of a bucket: `kv.get`, and `kv.watch`, `kv.keys` and `kv.history` of the same keys. Open
 * the bucket with `kvm.open(bucket, { allow_direct: true })`: otherwise, the client reads with a request that
 * permissions cannot restrict to a key, and which is therefore not granted. Not covered: `kvm.create`, `kv.status`, and
 * `kv.get` of a revision.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`, SubjectError
 * @example
 * import { bootstrapPeelCreds, kvRead, loadKeyBundleFromFile } from 'zester';
 *
 * const account = await loadKeyBundleFromFile('account', 'account.seed');
 * await bootstrapPeelCreds(account, 'web-05', 'web-05.creds', {
 *   permissions: { extend: kvRead({ bucket: 'config', keys: 'web-05.>' }) },
 * });
 */
export function kvRead(preset: KvReadPreset): PermissionOptions {
  check('kvRead', preset, { ...KV, watch: flag }, ['bucket', 'keys']);
  const stream = streamOfBucket('bucket', preset.bucket, bucketStream(preset.bucket));
  const subjects = kvSubjects(preset);
  const watching =
    preset.watch === false ? [] : [...orderedConsumer(stream, subjects), `$JS.API.CONSUMER.INFO.${stream}.*`];
  return publishing([...subjects.map((subject) => `$JS.API.DIRECT.GET.${stream}.${subject}`), ...watching]);
}

/**
 * Permissions to write keys of a bucket: `kv.put`, `kv.update`, `kv.delete` and `kv.purge`. `kv.create` of a deleted
 * key reads it first, and also needs {@link kvRead}.
 *
 * In a bucket that allows roll-ups, as buckets created by clients do, a user with permission to write one key can empty
 * the bucket (docs/nats-facts.md, 35). Use separate buckets for peels that must not harm each other, or create the
 * bucket without `allow_rollup_hdrs`.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`, SubjectError
 * @example
 * import { bootstrapPeelCreds, kvRead, kvWrite, loadKeyBundleFromFile } from 'zester';
 *
 * const account = await loadKeyBundleFromFile('account', 'account.seed');
 * const own = { bucket: 'config', keys: 'web-05.>' };
 * await bootstrapPeelCreds(account, 'web-05', 'web-05.creds', {
 *   permissions: { extend: [kvRead(own), kvWrite(own)] },
 * });
 */
export function kvWrite(preset: KvPreset): PermissionOptions {
  check('kvWrite', preset, KV, ['bucket', 'keys']);
  streamOfBucket('bucket', preset.bucket, bucketStream(preset.bucket));
  return publishing(kvSubjects(preset));
}

/**
 * Permissions to read a stream in order, without acknowledgements: an ordered push consumer,
 * `js.consumers.getPushConsumer(stream, { filter_subjects: subject })`, with one of the subjects as a string. Ordered
 * pull consumers are not covered: they need `$JS.API.CONSUMER.MSG.NEXT.<stream>.*`, which reads from every consumer of
 * the stream.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`, SubjectError
 * @example
 * import { bootstrapPeelCreds, loadKeyBundleFromFile, streamRead } from 'zester';
 *
 * const account = await loadKeyBundleFromFile('account', 'account.seed');
 * await bootstrapPeelCreds(account, 'web-05', 'web-05.creds', {
 *   permissions: { extend: streamRead({ stream: 'ORDERS', subjects: 'orders.web-05.>' }) },
 * });
 */
export function streamRead(preset: StreamReadPreset): PermissionOptions {
  check('streamRead', preset, { stream: text, subjects: TEXTS }, ['stream', 'subjects']);
  const stream = ownStream(preset.stream);
  return publishing(orderedConsumer(stream, checkedSubjects(preset.subjects)));
}

/**
 * Permissions to read from one durable pull consumer, and to acknowledge: `js.consumers.get(stream, consumer)`, then
 * `consume`, `fetch` or `next`.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`, SubjectError
 * @example
 * import { bootstrapPeelCreds, consumerRead, loadKeyBundleFromFile } from 'zester';
 *
 * const account = await loadKeyBundleFromFile('account', 'account.seed');
 * await bootstrapPeelCreds(account, 'web-05', 'web-05.creds', {
 *   permissions: { extend: consumerRead({ stream: 'JOBS', consumer: 'web-05' }) },
 * });
 */
export function consumerRead(preset: ConsumerPreset): PermissionOptions {
  check('consumerRead', preset, { stream: text, consumer: text, createWith: text }, ['stream', 'consumer']);
  const stream = ownStream(preset.stream);
  const consumer = token('consumer', preset.consumer);
  const { createWith } = preset;
  return publishing([
    ...(createWith === undefined
      ? []
      : checkedSubjects(createWith).map(
          (subject) => `$JS.API.CONSUMER.CREATE.${stream}.${consumer}.${subject}`,
        )),
    `$JS.API.CONSUMER.INFO.${stream}.${consumer}`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
    `$JS.ACK.${stream}.${consumer}.>`,
    // the form with domain and account, used by servers with a domain, and by 2.12 or newer on request
    `$JS.ACK.*.*.${stream}.${consumer}.>`,
  ]);
}

/**
 * Permissions to publish to a stream: `js.publish` on these subjects. Same as plain publishing; the acknowledgement
 * goes to the inbox.
 *
 * @throws SubjectError, JwtError `ERR_JWT_OPTIONS`
 * @example
 * import { bootstrapPeelCreds, loadKeyBundleFromFile, streamPublish } from 'zester';
 *
 * const account = await loadKeyBundleFromFile('account', 'account.seed');
 * await bootstrapPeelCreds(account, 'web-05', 'web-05.creds', {
 *   permissions: { extend: streamPublish({ subjects: 'orders.web-05.>' }) },
 * });
 */
export function streamPublish(preset: { subjects: string | readonly string[] }): PermissionOptions {
  check('streamPublish', preset, { subjects: TEXTS }, ['subjects']);
  return publishing(checkedSubjects(preset.subjects));
}

/**
 * Permissions to read an object store: `get`, `info`, `list`, `watch` and `status`. They cover the whole store, since
 * the client looks up objects with a request that permissions cannot restrict to a name. So `zester permissions lint`
 * reports them; use a store that every reader may read completely.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`
 * @example
 * import { bootstrapPeelCreds, loadKeyBundleFromFile, objectStoreRead } from 'zester';
 *
 * const account = await loadKeyBundleFromFile('account', 'account.seed');
 * await bootstrapPeelCreds(account, 'web-05', 'web-05.creds', {
 *   permissions: { extend: objectStoreRead({ bucket: 'firmware' }) },
 * });
 */
export function objectStoreRead(preset: ObjectStorePreset): PermissionOptions {
  check('objectStoreRead', preset, { bucket: text }, ['bucket']);
  const { bucket } = preset;
  const stream = streamOfBucket('bucket', bucket, `OBJ_${bucket}`);
  return publishing([
    ...openStore(stream),
    ...orderedConsumer(stream, [`$O.${bucket}.C.*`, `$O.${bucket}.M.>`]),
  ]);
}

/**
 * Permissions to write an object store: `put` and `delete`. A writer can also read the store, and replace or delete
 * any object in it.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`
 * @example
 * import { bootstrapPeelCreds, loadKeyBundleFromFile, objectStoreWrite } from 'zester';
 *
 * const account = await loadKeyBundleFromFile('account', 'account.seed');
 * await bootstrapPeelCreds(account, 'web-05', 'web-05.creds', {
 *   permissions: { extend: objectStoreWrite({ bucket: 'uploads-web-05' }) },
 * });
 */
export function objectStoreWrite(preset: ObjectStorePreset): PermissionOptions {
  check('objectStoreWrite', preset, { bucket: text }, ['bucket']);
  const { bucket } = preset;
  const stream = streamOfBucket('bucket', bucket, `OBJ_${bucket}`);
  return publishing([
    ...openStore(stream),
    // to remove leftovers of a replaced or failed put
    `$JS.API.STREAM.PURGE.${stream}`,
    `$O.${bucket}.C.*`,
    `$O.${bucket}.M.*`,
  ]);
}

const TEXTS = textOr(listOf(text));
const KV = { bucket: text, keys: TEXTS };

function check(what: string, preset: unknown, entries: OptionEntries, required: readonly string[]): void {
  checkOptions(what, preset, bag(entries, { required }), jwtOptionsError);
}

function publishing(allow: readonly string[]): PermissionOptions {
  return { publish: { allow: [...new Set(allow)] } };
}

/**
 * The subject ends with the filter, which the server compares with the consumer's. Deleting consumers is not granted:
 * it cannot be restricted to one's own, and they expire by themselves.
 */
function orderedConsumer(stream: string, filters: readonly string[]): string[] {
  return [
    ...filters.map((filter) => `$JS.API.CONSUMER.CREATE.${stream}.*.${filter}`),
    // flow control; without it, the server stops after some messages
    `$JS.FC.${stream}.>`,
  ];
}

/** The client's requests before it uses a store: for JetStream's state, the stream, and the metadata of an object. */
function openStore(stream: string): string[] {
  return ['$JS.API.INFO', `$JS.API.STREAM.INFO.${stream}`, `$JS.API.STREAM.MSG.GET.${stream}`];
}

function kvSubjects({ bucket, keys }: KvPreset): string[] {
  return checkedSubjects([keys].flat().map((key) => `$KV.${bucket}.${key}`));
}

function checkedSubjects(given: string | readonly string[]): string[] {
  const subjects = [given].flat();
  if (subjects.length === 0)
    throw jwtOptionsError('give at least one subject: a server reads an empty list as "everything"');
  return subjects.map((subject) => validateSubject(subject, { templates: true }));
}

function streamOfBucket(what: string, bucket: string, stream: string): string {
  token(what, bucket);
  if ((BUCKETS as readonly string[]).includes(bucket)) throw reservedForMasters(bucket);
  return stream;
}

function ownStream(stream: string): string {
  if (FLEET_STREAMS.has(token('stream', stream))) throw reservedForMasters(stream);
  return stream;
}

function reservedForMasters(name: string): JwtError {
  return jwtOptionsError(`${name} belongs to the fleet's masters: no other user may read or write it`);
}

/** One token, without wildcards: a wildcard would cover every bucket, stream or consumer. */
function token(what: string, name: string): string {
  if (!holdsSeed(name) && /^([A-Za-z0-9_-]+|\{\{name\(\)\}\})$/.test(name)) return name;
  throw jwtOptionsError(`${what} is ${quoted(name)}: give letters, digits, - and _`);
}
