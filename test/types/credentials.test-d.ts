/** Checked by `npm run typecheck`; nothing here runs. */
import type { Authenticator, NodeConnectionOptions } from '@nats-io/transport-node';
import { expectTypeOf } from 'vitest';
import {
  bootstrapPeelCreds,
  issuePeelCredentials,
  loadCredsFile,
  natsOptionsForMaster,
  natsOptionsForPeel,
  parseCredsData,
  type BootstrapPeelOptions,
  type CredentialEvent,
  type CredsFile,
  type IssuePeelOptions,
  type NatsOptions,
  type PeelCredential,
  type UserClaims,
  type ZesterError,
} from 'zester';

expectTypeOf(loadCredsFile).returns.resolves.toEqualTypeOf<CredsFile>();
expectTypeOf(parseCredsData).toBeCallableWith('text', 'its name');
expectTypeOf(parseCredsData).toBeCallableWith(new Uint8Array(), 'its name');
// @ts-expect-error the name is what errors call it
void (() => parseCredsData('text'));

// credentials are read-only, and know where they came from
declare const creds: CredsFile;
expectTypeOf(creds.source).toEqualTypeOf<'file' | 'bytes'>();
expectTypeOf(creds.claims).toEqualTypeOf<UserClaims>();
expectTypeOf(creds.seed).toEqualTypeOf<Uint8Array>();
void (() => {
  // @ts-expect-error what was checked stays as it was checked
  creds.jwt = 'another';
});
// what may be logged has no seed
expectTypeOf(creds.toJSON()).not.toHaveProperty('seed');

// what is spread into the client's connect()
expectTypeOf<NatsOptions>().toEqualTypeOf<NodeConnectionOptions>();
expectTypeOf(creds.natsOption()).toEqualTypeOf<NatsOptions>();
expectTypeOf(natsOptionsForPeel).parameters.toEqualTypeOf<[credsPath: string, peelId: string]>();
expectTypeOf(natsOptionsForMaster).parameters.toEqualTypeOf<[credsPath: string]>();
expectTypeOf(creds.authenticate).returns.toExtend<ReturnType<Authenticator>>();

// issuing
expectTypeOf(bootstrapPeelCreds).parameter(3).toEqualTypeOf<BootstrapPeelOptions | undefined>();
expectTypeOf(bootstrapPeelCreds).returns.resolves.toHaveProperty('jwt').toBeString();
expectTypeOf<{ issuerAccount: undefined }>().not.toExtend<BootstrapPeelOptions>();
expectTypeOf(issuePeelCredentials).returns.toEqualTypeOf<AsyncGenerator<PeelCredential, void, undefined>>();
expectTypeOf<object>().not.toExtend<IssuePeelOptions>();

// events are told apart by their type
export function hears(event: CredentialEvent): void {
  if (event.type === 'credentialsRejected') expectTypeOf(event.error).toEqualTypeOf<ZesterError>();
  if (event.type === 'credentialsLoaded') expectTypeOf(event.expiresAt).toEqualTypeOf<number | undefined>();
  // @ts-expect-error only a rejection has an error
  if (event.type === 'credentialsExpired') void event.error;
}
