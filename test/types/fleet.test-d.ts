/** Checked by `npm run typecheck`; nothing here runs. */
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { expectTypeOf } from 'vitest';
import {
  answerBelow,
  answerCommand,
  connectMaster,
  connectPeel,
  requestPeel,
  withReconnectBuffer,
  type ConnectionEvent,
  type ConnectOptions,
  type ConnectPeelOptions,
  type ZesterConnection,
} from 'zester';
import {
  applyEvent,
  isPeelEvent,
  startMaster,
  type AcceptancePolicy,
  type AdminClient,
  type AnswerOf,
  type AuditEvent,
  type Master,
  type MasterOptions,
  type PeelEvent,
  type PeelRecord,
  type RequestOf,
} from 'zester/master';
import {
  joinFleet,
  startPeel,
  type Handler,
  type JoinOptions,
  type JoinResult,
  type Peel,
  type PeelOptions,
} from 'zester/peel';

// connections: a client connection, with additions
expectTypeOf<ZesterConnection>().toExtend<NatsConnection>();
expectTypeOf(connectPeel).returns.resolves.toEqualTypeOf<ZesterConnection>();
expectTypeOf(connectMaster).parameters.toEqualTypeOf<[options: ConnectOptions]>();
expectTypeOf(withReconnectBuffer).returns.toEqualTypeOf<ZesterConnection>();
expectTypeOf<ZesterConnection['events']>().returns.toEqualTypeOf<AsyncIterable<ConnectionEvent>>();
expectTypeOf<ConnectOptions>().not.toExtend<ConnectPeelOptions>();
// there is one option for credentials
expectTypeOf<ConnectOptions>().not.toHaveProperty('authenticator');
expectTypeOf<ConnectOptions>().not.toHaveProperty('pass');
// options that would break the guarantees of a connection do not exist
for (const name of ['reconnect', 'maxReconnectAttempts', 'ignoreAuthErrorAbort', 'inboxPrefix'] as const) {
  expectTypeOf<ConnectOptions>().not.toHaveProperty(name);
  expectTypeOf<JoinOptions>().not.toHaveProperty(name);
  expectTypeOf<PeelOptions>().not.toHaveProperty(name);
}
// undefined is the same as omitted
expectTypeOf<{ credsPath: string; requireTls: undefined; timeout: undefined }>().toExtend<ConnectOptions>();
expectTypeOf<{ credsPath: string; pingInterval: undefined }>().toExtend<ConnectOptions>();

// commands
expectTypeOf(requestPeel).returns.resolves.toEqualTypeOf<Msg>();
expectTypeOf(answerCommand).returns.toBeBoolean();
expectTypeOf(answerBelow).parameter(0).toEqualTypeOf<Pick<NatsConnection, 'publish'>>();

// a peel
expectTypeOf(startPeel).returns.resolves.toEqualTypeOf<Peel>();
expectTypeOf<{ credsPath: string; renew: undefined }>().toExtend<PeelOptions>();
expectTypeOf<(args: string[]) => Promise<number>>().toExtend<Handler>();
expectTypeOf<(args: number) => void>().not.toExtend<Handler>();
expectTypeOf(joinFleet).parameters.toEqualTypeOf<[options: JoinOptions]>();
expectTypeOf(joinFleet).returns.resolves.toEqualTypeOf<JoinResult>();

// a master
expectTypeOf(startMaster).returns.resolves.toEqualTypeOf<Master>();
expectTypeOf<{ home: string; policy: 'manual' }>().toExtend<MasterOptions>();
expectTypeOf<{ home: string; policy: 'anything' }>().not.toExtend<MasterOptions>();
expectTypeOf<{ home: string; lifetimeSeconds: undefined }>().toExtend<MasterOptions>();
expectTypeOf<string>().not.toExtend<AcceptancePolicy>();

// an answer belongs to its request
declare const admin: AdminClient;
expectTypeOf(admin.ask<'peel.show'>)
  .parameter(1)
  .toEqualTypeOf<RequestOf<'peel.show'>>();
expectTypeOf(admin.ask<'peel.show'>).returns.resolves.toEqualTypeOf<AnswerOf<'peel.show'>>();
// @ts-expect-error no such request
void (() => admin.ask('peel.shout', {}));

// a record is its events
expectTypeOf(applyEvent).parameters.toEqualTypeOf<[PeelRecord | undefined, PeelEvent]>();
declare const event: AuditEvent;
if (isPeelEvent(event)) expectTypeOf(event).toExtend<PeelEvent>();
