/** Checked by `npm run typecheck`; nothing here runs. */
import type { Authenticator, NodeConnectionOptions } from '@nats-io/transport-node';
import { expectTypeOf } from 'vitest';
import {
  bootstrapPeelCreds,
  defaultCredentials,
  fromEnv,
  issuePeelCredentials,
  loadCredsFile,
  natsOptionsForMaster,
  natsOptionsForPeel,
  parseCredsData,
  type BootstrapPeelOptions,
  type ConnectFleetOptions,
  type ConnectOptions,
  type CredentialEvent,
  type CredentialProvider,
  type CredsFile,
  type IssuePeelOptions,
  type MemoryCredentials,
  type NatsOptions,
  type PeelCredential,
  type PermissionOptions,
  type UserClaims,
  type UserCredentials,
  type ZesterError,
} from 'zester';
import type { PeelOptions } from 'zester/peel';

expectTypeOf(loadCredsFile).returns.resolves.toEqualTypeOf<CredsFile>();
expectTypeOf(parseCredsData).toBeCallableWith('text', 'its name');
expectTypeOf(parseCredsData).toBeCallableWith(new Uint8Array(), 'its name');
// @ts-expect-error the name is what errors call it
void (() => parseCredsData('text'));

// credentials are read-only, and know where they came from
declare const creds: CredsFile;
declare const provider: CredentialProvider;
expectTypeOf(creds.source).toEqualTypeOf<'file' | 'bytes'>();
expectTypeOf(creds.claims).toEqualTypeOf<UserClaims>();
expectTypeOf(creds.seed).toEqualTypeOf<Uint8Array>();
void (() => {
  // @ts-expect-error what was checked stays as it was checked
  creds.jwt = 'another';
});
// loggable values have no seed
expectTypeOf(creds.toJSON()).not.toHaveProperty('seed');

// options for the client's connect()
expectTypeOf<NatsOptions>().toEqualTypeOf<NodeConnectionOptions>();
expectTypeOf(creds.natsOption()).toEqualTypeOf<NatsOptions>();
expectTypeOf(natsOptionsForPeel('path', 'web-01')).toEqualTypeOf<NatsOptions>();
expectTypeOf(natsOptionsForPeel(provider, 'web-01')).resolves.toEqualTypeOf<NatsOptions>();
expectTypeOf(natsOptionsForMaster(creds)).toEqualTypeOf<NatsOptions>();
expectTypeOf(natsOptionsForMaster(provider)).resolves.toEqualTypeOf<NatsOptions>();

// exactly one credential, of one kind
expectTypeOf<{ credentials: string }>().toExtend<ConnectOptions>();
expectTypeOf<{ credentials: URL }>().toExtend<ConnectOptions>();
expectTypeOf<{ credentials: CredsFile }>().toExtend<ConnectOptions>();
expectTypeOf<{ credentials: { seed: Uint8Array } }>().toExtend<ConnectOptions>();
expectTypeOf<{ credentials: MemoryCredentials }>().toExtend<ConnectOptions>();
expectTypeOf<{ credentials: { load: () => Promise<string> } }>().toExtend<ConnectOptions>();
expectTypeOf<{ credsPath: string }>().toExtend<ConnectOptions>();
expectTypeOf<object>().not.toExtend<ConnectOptions>();
expectTypeOf<{ credsPath: string; credentials: string }>().not.toExtend<ConnectOptions>();
expectTypeOf<{ credsPath: undefined }>().not.toExtend<ConnectOptions>();
expectTypeOf<{ credentials: number }>().not.toExtend<ConnectOptions>();
// a seed alone has no JWT to renew, or to sign requests with
expectTypeOf<{ credentials: { seed: string } }>().not.toExtend<PeelOptions>();
expectTypeOf<{ credentials: { seed: string } }>().not.toExtend<ConnectFleetOptions>();
expectTypeOf(defaultCredentials).returns.resolves.toExtend<UserCredentials>();
expectTypeOf(fromEnv).returns.toEqualTypeOf<CredentialProvider>();
expectTypeOf(creds.authenticate).returns.toExtend<ReturnType<Authenticator>>();

// issuing
expectTypeOf(bootstrapPeelCreds).parameter(3).toEqualTypeOf<BootstrapPeelOptions | undefined>();
expectTypeOf(bootstrapPeelCreds).returns.resolves.toHaveProperty('jwt').toBeString();
expectTypeOf<{
  issuerAccount: undefined;
  expiry: undefined;
  limits: undefined;
}>().toExtend<BootstrapPeelOptions>();
// extends or replaces the permissions of the role, explicitly
expectTypeOf<{ permissions: { extend: PermissionOptions } }>().toExtend<BootstrapPeelOptions>();
expectTypeOf<{ permissions: { extend: PermissionOptions[] } }>().toExtend<BootstrapPeelOptions>();
expectTypeOf<{ permissions: { replace: PermissionOptions } }>().toExtend<BootstrapPeelOptions>();
expectTypeOf<{
  permissions: { extend: PermissionOptions; replace: PermissionOptions };
}>().not.toExtend<BootstrapPeelOptions>();
expectTypeOf<{ permissions: { publish: { allow: string[] } } }>().not.toExtend<BootstrapPeelOptions>();
expectTypeOf(issuePeelCredentials).returns.toEqualTypeOf<AsyncGenerator<PeelCredential, void, undefined>>();
expectTypeOf<object>().not.toExtend<IssuePeelOptions>();

// events are discriminated by their type
export function handleEvent(event: CredentialEvent): void {
  if (event.type === 'credentialsRejected') expectTypeOf(event.error).toEqualTypeOf<ZesterError>();
  if (event.type === 'credentialsLoaded') expectTypeOf(event.expiresAt).toEqualTypeOf<number | undefined>();
  // @ts-expect-error only a rejection has an error
  if (event.type === 'credentialsExpired') void event.error;
}
