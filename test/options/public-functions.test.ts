import type { NatsConnection } from '@nats-io/transport-node';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  answerBelow,
  answerCommand,
  bootstrapPeelCreds,
  connectFleet,
  connectMaster,
  connectPeel,
  createUserJwt,
  generateFullHierarchy,
  generateKeyBundle,
  issuePeelCredentials,
  peelUserJwtOptions,
  requestPeel,
  validateJwtChain,
  validateSubject,
  withReconnectBuffer,
  writeCredsFile,
} from '../../src/index.js';
import { Abortable } from '../../src/fleet-client/abortable.js';
import { FleetPeels } from '../../src/fleet-client/fleet-peels.js';
import { FleetTokens } from '../../src/fleet-client/fleet-tokens.js';
import { AdminClient, startMaster, type MessageSigner } from '../../src/master/index.js';
import { createTrustDomain } from '../../src/trust/create/create.js';
import { joinFleet, startPeel } from '../../src/peel/index.js';
import { refusal } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';

/** Programs in JavaScript, or with a cast: the call detects what a compiler would have found. */

const account = generateKeyBundle('account');
const user = generateKeyBundle('user');
let dir: string;
beforeAll(async () => {
  dir = await tempDir();
});

const loose = <T>(options: object) => options as unknown as T;
const nobody = { servers: 'nats://127.0.0.1:1' };
const nc = loose<NatsConnection>({});
const signer = loose<MessageSigner>({});
const client = new AdminClient(nc, signer);
const abortable = new Abortable(undefined);
const peels = new FleetPeels(nc, client, abortable);

const functions: [string, string, (options: object) => unknown][] = [
  ['createUserJwt', 'ERR_JWT_OPTIONS', (o) => createUserJwt(user, account, loose({ name: 'x', ...o }))],
  ['peelUserJwtOptions', 'ERR_JWT_OPTIONS', (o) => peelUserJwtOptions('web-01', account.publicKey, loose(o))],
  [
    'bootstrapPeelCreds',
    'ERR_JWT_OPTIONS',
    (o) => bootstrapPeelCreds(account, 'web-01', join(dir, 'x.creds'), loose(o)),
  ],
  [
    'issuePeelCredentials',
    'ERR_JWT_OPTIONS',
    (o) => issuePeelCredentials(['web-01'], loose({ signer: account, ...o })).next(),
  ],
  [
    'writeCredsFile',
    'ERR_CREDS_INPUT',
    (o) => writeCredsFile(join(dir, 'x.creds'), 'jwt', user.seed, loose(o)),
  ],
  [
    'connectPeel',
    'ERR_CONNECT_OPTIONS',
    (o) => connectPeel(loose({ ...nobody, peelId: 'web-01', credentials: { seed: user.seed }, ...o })),
  ],
  [
    'connectMaster',
    'ERR_CONNECT_OPTIONS',
    (o) => connectMaster(loose({ ...nobody, credentials: { seed: user.seed }, ...o })),
  ],
  ['withReconnectBuffer', 'ERR_CONNECT_OPTIONS', (o) => withReconnectBuffer(nc, loose(o))],
  [
    'startPeel',
    'ERR_CONNECT_OPTIONS',
    (o) => startPeel(loose({ ...nobody, credsPath: join(dir, 'none.creds'), ...o })),
  ],
  [
    'joinFleet',
    'ERR_CONNECT_OPTIONS',
    (o) => joinFleet(loose({ ...nobody, token: 't', peelId: 'web-01', out: 'o', ...o })),
  ],
  [
    'connectFleet',
    'ERR_CONNECT_OPTIONS',
    (o) => connectFleet(loose({ ...nobody, credentials: 'x.creds', ...o })),
  ],
  ['startMaster', 'ERR_FLEET_CONFIG', (o) => startMaster(loose({ home: dir, ...o }))],
  ['requestPeel', 'ERR_FLEET_REQUEST', (o) => requestPeel(nc, 'web-01', '', loose(o))],
  [
    'validateJwtChain',
    'ERR_JWT_OPTIONS',
    (o) => {
      const { operatorJwt, accountJwt, userJwt } = generateFullHierarchy('o', 'a', 'u');
      validateJwtChain(operatorJwt, accountJwt, userJwt, loose(o));
    },
  ],
  ['validateSubject', 'ERR_SUBJECT', (o) => validateSubject('a.b', loose(o))],
  [
    'answerBelow',
    'ERR_FLEET_REQUEST',
    (o) => answerBelow(nc, {}, '', loose({ inboxes: ['_INBOX.x'], ...o })),
  ],
  ['answerCommand', 'ERR_FLEET_REQUEST', (o) => answerCommand(loose({}), 'web-01', '', loose(o))],
  ['createTrustDomain', 'ERR_TRUST_OPTIONS', (o) => createTrustDomain(join(dir, 'home'), loose(o))],
  ['saveSeedToFile', 'ERR_KEY_OPTIONS', (o) => user.saveSeedToFile(join(dir, 'x.seed'), loose(o))],
  ['AdminClient', 'ERR_FLEET_REQUEST', (o) => new AdminClient(nc, signer, loose(o))],
  ['AdminClient.ask', 'ERR_FLEET_REQUEST', (o) => client.ask('status', {}, loose(o))],
  ['fleet.peels.list', 'ERR_FLEET_REQUEST', (o) => peels.list(loose(o))],
  ['fleet.peels.show', 'ERR_FLEET_REQUEST', (o) => peels.show('web-01', loose(o))],
  ['fleet.peels.accept', 'ERR_FLEET_REQUEST', (o) => peels.accept('web-01', loose(o))],
  ['fleet.peels.reject', 'ERR_FLEET_REQUEST', (o) => peels.reject('web-01', loose(o))],
  ['fleet.peels.revoke', 'ERR_FLEET_REQUEST', (o) => peels.revoke('web-01', loose(o))],
  ['fleet.peels.rotate', 'ERR_FLEET_REQUEST', (o) => peels.rotate('web-01', loose(o))],
  ['fleet.peels.exec', 'ERR_FLEET_REQUEST', (o) => peels.exec('web-01', 'facts', [], loose(o))],
  ['fleet.tokens.create', 'ERR_FLEET_REQUEST', (o) => new FleetTokens(client, abortable).create(loose(o))],
];

describe('an option that no function knows', () => {
  it.each(functions)('is refused by %s, and nothing is written', async (_name, code, call) => {
    const error = await refusal(code, () => call({ zzz: 1 }));
    expect(error.message).toContain('"zzz"');
    expect(await readdir(dir)).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['createUserJwt', { expires: 60 }, 'did you mean "expiry"?'],
    ['bootstrapPeelCreds', { expires: 60 }, 'did you mean "expiry"?'],
    ['bootstrapPeelCreds', { limits: { subscription: 1 } }, 'did you mean "subscriptions"?'],
    ['bootstrapPeelCreds', { expiry: Date.now() + 60_000 }, 'give seconds, not milliseconds'],
    ['bootstrapPeelCreds', { expiry: Math.floor(Date.now() / 1000) + 60 }, 'a time since 1970'],
    ['issuePeelCredentials', { worker: 2 }, 'did you mean "workers"?'],
    ['connectPeel', { rotate: 'hitles' }, 'did you mean "hitless"?'],
    ['connectMaster', { reconnectBufferSise: 1 }, 'did you mean "reconnectBufferSize"?'],
    ['startPeel', { rotate: 'hitles' }, 'did you mean "hitless"?'],
    ['startPeel', { commands: { concurency: 1 } }, 'did you mean "concurrency"?'],
    ['bootstrapPeelCreds', { permissions: { publish: { allow: ['a'] } } }, 'give { extend: … }'],
    ['bootstrapPeelCreds', { permissions: { extends: {} } }, 'did you mean "extend"?'],
    ['connectFleet', { timeoutMS: 5 }, 'did you mean "timeoutMs"?'],
    ['connectFleet', { credsPath: 'x' }, 'give it as credentials'],
    ['connectPeel', { creds: {} }, 'give it as credentials'],
    ['connectMaster', { seed: 'x' }, 'give credentials: { seed }'],
    ['startMaster', { polcy: 'manual' }, 'did you mean "policy"?'],
    ['startMaster', { policy: 'auto-trsuted' }, 'auto-trusted'],
    ['requestPeel', { timeout: 5 }, 'did you mean "timeoutMs"?'],
    ['validateJwtChain', { nov: Date.now }, 'did you mean "now"?'],
    ['validateSubject', { wildcard: false }, 'did you mean "wildcards"?'],
    ['answerBelow', { inboxs: [] }, 'did you mean "inboxes"?'],
    ['createTrustDomain', { operator: 'acme' }, 'operatorName'],
    ['fleet.peels.list', { patern: 'web-*' }, 'did you mean "pattern"?'],
    ['fleet.tokens.create', { ttlSecond: 60 }, 'did you mean "ttlSeconds"?'],
  ])('of %s gets a suggestion: %j', async (name, options, hint) => {
    const [, code = '', call] = functions.find(([one]) => one === name) ?? [];
    const error = await refusal(code, () => call?.(options));
    expect(error.message).toContain(hint);
  });
});
