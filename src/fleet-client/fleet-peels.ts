// The peels of a fleet, for an admin program.
import type { NatsConnection } from '@nats-io/nats-core';
import { FleetError } from '../errors.js';
import type { AdminClient } from '../protocol/admin-client.js';
import type { PeelDetails, PeelRevocation, PeelRotation } from '../protocol/fleet-answers.js';
import { parseLabelSelector } from '../protocol/label-selector.js';
import type { ListedPeel, RequestOf } from '../protocol/messages.js';
import { labelText, type LabelChange, type Labels } from '../protocol/records/labels.js';
import type { PeelRecord, PeelState } from '../protocol/records/record.js';
import { requireFingerprint } from '../protocol/records/require-fingerprint.js';
import { HANDLER_NAME } from '../protocol/command.js';
import { COMMAND_TIMEOUT_MS } from '../timing.js';
import { printable } from '../text/printable.js';
import type { Abortable } from './abortable.js';
import type { WaitingOptions } from './waiting-options.js';
import { checkFleetOptions } from './option-names.js';
import { commandPeels, type PeelReply } from './command-peels.js';
import { checkedChange, checkedLabels, requireStored } from './checked-labels.js';
import { selectedPeels } from './selected-peels.js';

/** The filters of {@link FleetPeels.list}; all of them apply. */
export interface ListPeelsOptions extends WaitingOptions {
  /** A glob over IDs, such as `web-*`. */
  pattern?: string | undefined;
  /** Only peels in this state. */
  state?: PeelState | undefined;
  /** Only connected peels; false: only disconnected ones. */
  connected?: boolean | undefined;
  /** Only peels whose credential expires within this time. */
  expiringWithinSeconds?: number | undefined;
  /**
   * Only peels with these labels: a selector such as `env=prod,tier!=db,zone`, or an object such as `{ env: 'prod' }`.
   * A selector is a comma-separated list of `NAME=VALUE`, `NAME!=VALUE`, `NAME in (A,B)`, `NAME notin (A,B)`, `NAME`
   * (it exists) and `!NAME`, all of which must hold.
   */
  labels?: string | Labels | undefined;
  /** Only peels with IDs after this one; with `limit`, the next page. */
  after?: string | undefined;
  /** Maximum number of peels, ordered by ID. */
  limit?: number | undefined;
}

/** The changes of {@link FleetPeels.label}. Other labels stay. */
export interface LabelPeelOptions extends LabelChange, WaitingOptions {
  /** Recorded with the decision. */
  reason?: string | undefined;
}

/** The options of {@link FleetPeels.exec}. */
export interface ExecOptions extends WaitingOptions {
  /** Time limit for each peel, in milliseconds; 10,000 by default. */
  timeoutMs?: number | undefined;
}

/** {@link ExecOptions} plus the positional arguments of {@link FleetPeels.exec}. */
export interface ExecCommand extends ExecOptions {
  peelIds: string | readonly string[];
  /** The name of the handler, such as `facts`. */
  handler: string;
  args?: readonly string[] | undefined;
}

/**
 * The peels of the registry. Each call fails with a `FleetError`, whose code says why, or with the signal's reason.
 *
 * @example
 * import { connectFleet } from 'zester';
 *
 * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
 * const { record, presence } = await fleet.peels.show('web-01');
 * console.log(record.id, record.state, presence?.connections.length ?? 0); // web-01 …
 * await fleet.close();
 */
export class FleetPeels {
  readonly #nc: NatsConnection;
  readonly #client: AdminClient;
  readonly #abortable: Abortable;

  /** @internal */
  constructor(nc: NatsConnection, client: AdminClient, abortable: Abortable) {
    this.#nc = nc;
    this.#client = client;
    this.#abortable = abortable;
  }

  /**
   * Lists peels, ordered by ID, as they arrive: the fleet need not fit into memory.
   *
   * @throws FleetError `ERR_FLEET_NO_MASTER`, `ERR_FLEET_TIMEOUT`, `ERR_FLEET_DENIED`, `ERR_FLEET_REQUEST`;
   *   `ERR_FLEET_LABEL` for an invalid label selector; at the end, `ERR_FLEET_RECORD` when a record exceeds the message
   *   size: no list is silently incomplete
   * @example
   * import { connectFleet } from 'zester';
   *
   * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
   * for await (const { record, presence } of fleet.peels.list({ pattern: 'web-*' }))
   *   console.log(record.id, record.state, presence?.connections.length ?? 0); // web-01 …
   * await fleet.close();
   */
  list(options: ListPeelsOptions = {}): AsyncIterable<ListedPeel> {
    checkFleetOptions('peels.list', options);
    const { pattern, state, connected, expiringWithinSeconds: expiringWithin, after, limit } = options;
    const labels =
      typeof options.labels === 'object' ? labelText(checkedLabels(options.labels)) : options.labels;
    if (labels !== undefined) parseLabelSelector(labels);
    const request: RequestOf<'peel.list'> = {
      pattern,
      state,
      connected,
      expiringWithin,
      labels,
      after,
      limit,
    };
    const client = this.#client;
    const peels = async function* () {
      const omitted: string[] = [];
      let count = 0;
      let given = 0;
      for await (const part of selectedPeels(client, request)) {
        // a master of an earlier version ignores both
        for (const peel of after === undefined
          ? part.peels
          : part.peels.filter(({ record }) => record.id > after)) {
          if (limit !== undefined && given >= limit) return;
          given += 1;
          yield peel;
        }
        omitted.push(...(part.skipped ?? []));
        count += part.skippedCount ?? part.skipped?.length ?? 0;
      }
      if (count === 0) return;
      const named = omitted.join(', ') + (count > omitted.length ? ', …' : '');
      const words = `all other peels were listed, but ${count} records exceed the message size: ${named}`;
      throw new FleetError('ERR_FLEET_RECORD', words);
    };
    return this.#abortable.with(options.signal).iterate(peels());
  }

  /**
   * One peel: its record, its connections, and its last events.
   *
   * @throws FleetError `ERR_FLEET_UNKNOWN_PEEL`
   */
  async show(
    peelId: string,
    options: WaitingOptions & { events?: number | undefined } = {},
  ): Promise<PeelDetails> {
    checkFleetOptions('peels.show', options);
    const { events = 20 } = options;
    return this.#abortable.with(options.signal).run(() => this.#client.ask('peel.show', { peelId, events }));
  }

  /**
   * Accepts a pending peel.
   *
   * @param options.fingerprint accept only a key with this fingerprint: another host could have requested the same ID
   * @param options.labels labels for the peel, in addition to those of its join token
   * @throws FleetError `ERR_FLEET_UNKNOWN_PEEL`; `ERR_FLEET_PROOF` when the fingerprint differs; `ERR_FLEET_LABEL`
   * @example
   * import { connectFleet } from 'zester';
   *
   * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
   * const { state } = await fleet.peels.accept('new-01', { reason: 'rack 7' });
   * console.log(state); // accepted
   * await fleet.close();
   */
  async accept(
    peelId: string,
    options: WaitingOptions & {
      fingerprint?: string | undefined;
      reason?: string | undefined;
      labels?: Labels | undefined;
    } = {},
  ): Promise<PeelRecord> {
    checkFleetOptions('peels.accept', options);
    const { fingerprint, reason, signal } = options;
    const labels = options.labels && checkedLabels(options.labels);
    if (fingerprint !== undefined) {
      const { record } = await this.show(peelId, { events: 0, signal });
      // masters before this version ignore it in the request
      requireFingerprint(record, fingerprint);
    }
    const { record } = await this.#abortable
      .with(signal)
      .run(() => this.#client.ask('peel.accept', { peelId, reason, labels, fingerprint }));
    requireStored(labels, record.labels, `"${peelId}" was accepted`);
    return record;
  }

  /**
   * Changes the labels of a peel.
   *
   * @returns the record, with all its labels
   * @throws FleetError `ERR_FLEET_UNKNOWN_PEEL`; `ERR_FLEET_LABEL` for an invalid label, or too many labels;
   *   `ERR_FLEET_DENIED` when the admin's role is not `operator` or `owner`
   * @example
   * import { connectFleet } from 'zester';
   *
   * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
   * const { labels } = await fleet.peels.label('web-02', { set: { env: 'prod' }, remove: ['tier'] });
   * console.log(labels?.env); // prod
   * for await (const { record } of fleet.peels.list({ labels: 'env=prod' })) console.log(record.id); // web-02
   * await fleet.close();
   */
  async label(peelId: string, options: LabelPeelOptions): Promise<PeelRecord> {
    checkFleetOptions('peels.label', options);
    const { signal, reason } = options;
    const change = { peelId, reason, ...checkedChange(options) };
    const { record } = await this.#abortable.with(signal).run(() => this.#client.ask('peel.label', change));
    return record;
  }

  /**
   * Rejects a peel, which cannot return with this key.
   *
   * @throws FleetError `ERR_FLEET_UNKNOWN_PEEL`
   * @example
   * import { connectFleet } from 'zester';
   *
   * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
   * const { state } = await fleet.peels.reject('new-02', { reason: 'unknown key' });
   * console.log(state); // rejected
   * await fleet.close();
   */
  async reject(
    peelId: string,
    options: WaitingOptions & { reason?: string | undefined } = {},
  ): Promise<PeelRecord> {
    checkFleetOptions('peels.reject', options);
    const { signal, ...rest } = options;
    const { record } = await this.#abortable
      .with(signal)
      .run(() => this.#client.ask('peel.reject', { peelId, ...rest }));
    return record;
  }

  /**
   * Revokes a peel, or one of its keys. Resolves when every server has confirmed and the connections are cut.
   *
   * @param options.publicKey only this key (`U…`)
   * @returns the record, and the keys whose revocation every server has confirmed
   * @throws FleetError `ERR_FLEET_UNKNOWN_PEEL`; `ERR_FLEET_TIMEOUT` when not every server confirmed in time: masters
   *   keep retrying
   * @example
   * import { connectFleet } from 'zester';
   *
   * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
   * const { record, revoked } = await fleet.peels.revoke('web-03', { reason: 'lost' });
   * console.log(record.state, revoked.length); // revoked 1
   * await fleet.close();
   */
  async revoke(
    peelId: string,
    options: WaitingOptions & { reason?: string | undefined; publicKey?: string | undefined } = {},
  ): Promise<PeelRevocation> {
    checkFleetOptions('peels.revoke', options);
    const { signal, ...rest } = options;
    return this.#abortable.with(signal).run(() => this.#client.ask('peel.revoke', { peelId, ...rest }));
  }

  /**
   * Makes a peel replace its key.
   *
   * @param options.since ISO 8601: does nothing if the key was issued at this time or later
   * @param options.publicKey does nothing if the peel no longer uses this key (`U…`), so that a retry does not rotate
   *   a peel twice
   * @returns `done`: nothing to do; `told`: the peel is connected and was notified; `asked`: it will be notified at its
   *   next renewal
   * @throws FleetError `ERR_FLEET_UNKNOWN_PEEL`
   * @example
   * import { connectFleet } from 'zester';
   *
   * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
   * const { outcome } = await fleet.peels.rotate('web-02');
   * console.log(outcome); // told
   * await fleet.close();
   */
  async rotate(
    peelId: string,
    options: WaitingOptions & { since?: string | undefined; publicKey?: string | undefined } = {},
  ): Promise<PeelRotation> {
    checkFleetOptions('peels.rotate', options);
    const { signal, ...rest } = options;
    return this.#abortable.with(signal).run(() => this.#client.ask('peel.rotate', { peelId, ...rest }));
  }

  /**
   * Calls a handler on peels, at most 128 at a time, and yields each reply as it arrives. A peel that does
   * not answer, or answers with an error, yields a reply with `ok: false`. A peel's reply is untrusted: check it before
   * you use it.
   *
   * @throws FleetError `ERR_FLEET_REQUEST` for an invalid handler name; PeelIdError; the signal's reason
   * @example
   * import { connectFleet } from 'zester';
   *
   * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
   * for await (const reply of fleet.peels.exec(['web-02'], 'facts', [], { timeoutMs: 5_000 }))
   *   console.log(reply.id, reply.ok ? reply.result : reply.message); // web-02 …
   * await fleet.close();
   */
  exec(
    peelIds: string | readonly string[],
    handler: string,
    args?: readonly string[],
    options?: ExecOptions,
  ): AsyncIterable<PeelReply>;
  /** The same, with an options object. */
  exec(command: ExecCommand): AsyncIterable<PeelReply>;
  exec(
    first: string | readonly string[] | ExecCommand,
    second = '',
    third: readonly string[] = [],
    options: ExecOptions = {},
  ): AsyncIterable<PeelReply> {
    const isList = typeof first === 'string' || Array.isArray(first);
    if (!isList) checkFleetOptions('peels.exec with names', first);
    else checkFleetOptions('peels.exec', options);
    const command = isList
      ? { peelIds: first as string | readonly string[], handler: second, args: third, ...options }
      : (first as ExecCommand);
    const { peelIds, handler, args = [], timeoutMs = COMMAND_TIMEOUT_MS } = command;
    const ids = typeof peelIds === 'string' ? [peelIds] : peelIds;
    const abortable = this.#abortable.with(command.signal);
    const called = { handler: checkedHandler(handler), args: [...args] };
    return abortable.iterate(commandPeels(this.#nc, ids, called, timeoutMs, abortable.signal));
  }
}

function checkedHandler(name: string): string {
  if (HANDLER_NAME.test(name)) return name;
  const words = `"${printable(name)}" is not a valid handler name: use one such as facts or disk.free`;
  throw new FleetError('ERR_FLEET_REQUEST', words);
}
