// The fuzzing targets: every reader of untrusted input.
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { headers as newHeaders } from '@nats-io/nats-core';
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { pushToServers } from '../../src/account/push-account.js';
import { revocationsInForce } from '../../src/account/held-account.js';
import { readBackup } from '../../src/backup/read-archive.js';
import { loadConfig } from '../../src/cli/config/load.js';
import { loadCampaign } from '../../src/cli/fleet/campaign.js';
import { readableLine } from '../../src/cli/terminal/log.js';
import { parseServerUrls } from '../../src/connection/server-urls.js';
import { formatCreds } from '../../src/creds/format.js';
import { parseCredsData } from '../../src/creds/parse.js';
import { validateJwtChain } from '../../src/jwt/chain.js';
import {
  decodeAccountJwt,
  decodeOperatorJwt,
  decodeUserJwt,
  userIssuedAtAsServersReadIt,
  userNameOf,
  userSubjectAsServersReadIt,
} from '../../src/jwt/decode.js';
import { generateFullHierarchy } from '../../src/jwt/hierarchy.js';
import { listenToSystem } from '../../src/master/watch/system-events.js';
import { parseClusterNode } from '../../src/nats-server/cluster-configuration.js';
import { readServerLogLine } from '../../src/nats-server/log-line.js';
import { decodePublicKey, decodeSeed } from '../../src/nkeys/encoding.js';
import { loadKeyBundle } from '../../src/nkeys/key-bundle.js';
import { ROLES } from '../../src/nkeys/roles.js';
import { readNotice } from '../../src/peel/notices.js';
import { readCommandAnswer } from '../../src/protocol/command.js';
import {
  parseAnswer,
  parseRequest,
  refusalIn,
  requests,
  type RequestName,
} from '../../src/protocol/messages.js';
import { parseAnyEvent } from '../../src/protocol/records/parse-event.js';
import { parseStoredRecord } from '../../src/protocol/records/stored-record.js';
import { openRequest } from '../../src/protocol/signed-request.js';
import { readRows, ROW_FORMATS, type RowFormat } from '../../src/provision/rows.js';
import { connectedUsers } from '../../src/system-account/connected-users.js';
import { DirectConnections } from '../../src/system-account/direct-connections.js';
import { jetStreamStorage } from '../../src/system-account/jetstream-storage.js';
import { downServers, listServers, outsideJetStream } from '../../src/system-account/servers.js';
import { printable, printableJson } from '../../src/text/printable.js';
import { readIssued } from '../../src/trust/issued.js';
import { parseSettings } from '../../src/trust/settings.js';
import type { TargetName } from './target-names.js';

/** A reader, and valid inputs for it. */
export interface Target {
  seeds: readonly (string | Uint8Array)[];
  /** Runs the reader. It may only throw a ZesterError. */
  run: (input: Uint8Array) => unknown;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
const latin = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** Runs all; throws the first error at the end. */
function each(...runs: (() => unknown)[]): void {
  let failed: unknown;
  for (const run of runs) {
    try {
      run();
    } catch (error) {
      failed = worse(failed, error);
    }
  }
  if (failed !== undefined) throw failed;
}

async function eachAsync(...runs: (() => Promise<unknown>)[]): Promise<void> {
  let failed: unknown;
  for (const run of runs) {
    try {
      await run();
    } catch (error) {
      failed = worse(failed, error);
    }
  }
  if (failed !== undefined) throw failed;
}

/** The error of two that is a finding, if any: our own errors have a code with this prefix. */
function worse(one: unknown, other: unknown): unknown {
  const isOurs = (error: unknown) =>
    /^ERR_[A-Z]/.test(String((error as { code?: unknown } | undefined)?.code));
  return one === undefined || isOurs(one) ? other : one;
}

const { operator, operatorJwt, account, accountJwt, user, userJwt } = generateFullHierarchy('O', 'A', 'U');
const payloadOf = (jwt: string) => Buffer.from(jwt.split('.')[1] ?? '', 'base64url');
const credsText = Buffer.from(formatCreds(userJwt, user.seed)).toString();

function signedBy(key: typeof user, payload: Uint8Array): string {
  const signed = `${Buffer.from('{"typ":"JWT","alg":"ed25519-nkey"}').toString('base64url')}.${Buffer.from(payload).toString('base64url')}`;
  return `${signed}.${Buffer.from(key.sign(signed)).toString('base64url')}`;
}

const REQUESTS = Object.keys(requests) as RequestName[];

/** A connection that gives this answer to every request. */
function answering(data: Uint8Array): NatsConnection {
  const message = {
    data,
    subject: 'x',
    string: () => text(data),
    json: () => JSON.parse(text(data)) as unknown,
  } as unknown as Msg;
  return {
    getServer: () => 'x',
    request: () => Promise.resolve(message),
    requestMany: () => Promise.resolve(Readable.from([message])),
  } as unknown as NatsConnection;
}

const SERVER = {
  name: 'n',
  id: 'N',
  version: '2.10.0',
  jetStream: true,
  cluster: undefined,
  time: '',
  routes: [],
};
const dir = mkdtempSync(join(tmpdir(), 'zester-fuzz-'));
let files = 0;
/** A file with this content. A few files are reused in turn. */
function fileOf(content: Uint8Array, name = 'input'): string {
  const path = join(dir, `${name}-${(files = (files + 1) % 8)}`);
  writeFileSync(path, content);
  return path;
}
const io = {
  stdout: { write: () => undefined, isTTY: false },
  stderr: { write: () => undefined, isTTY: false },
  env: {},
  now: Date.now,
  onInterrupt: () => () => undefined,
};

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
async function tar(entries: readonly [string, string][]): Promise<Uint8Array> {
  const archive = pack();
  for (const [name, content] of entries) archive.entry({ name }, content);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const at = '2026-01-01T00:00:00.000Z';
const event = {
  id: 'e1',
  at,
  by: { kind: 'master', name: 'm' },
  kind: 'peel.accepted',
  peelId: 'web-01',
  number: 1,
};
const record = {
  id: 'web-01',
  state: 'active',
  keys: [{ publicKey: user.publicKey, state: 'live', issuedAt: 1 }],
  number: 1,
  createdAt: at,
  updatedAt: at,
};
const connz = {
  server: { id: 'N', name: 'n', ver: '2.10.0', time: at, jetstream: true, cluster: 'c' },
  data: {
    total: 1,
    code: 200,
    server_id: 'N',
    connections: [
      {
        cid: 5,
        ip: '127.0.0.1',
        start: at,
        kind: 'Client',
        authorized_user: user.publicKey,
        jwt: userJwt,
        in_msgs: 1,
        in_bytes: 2,
      },
    ],
    meta_cluster: { leader: 'n', cluster_size: 1, replicas: [{ name: 'm', current: true }] },
    config: { max_storage: 5 },
    storage: 3,
  },
  statsz: { active_servers: 1 },
  error: { code: 500, description: 'x' },
};
const connect = {
  timestamp: at,
  server: { id: 'N', name: 'n' },
  client: { id: 7, user: user.publicKey, jwt: userJwt, host: '127.0.0.1', start: at, kind: 'Client' },
  reason: 'x',
};
const header = JSON.stringify({
  format: 'zester-backup',
  version: 1,
  createdAt: at,
  zester: '',
  operator: { name: 'a', publicKey: operator.publicKey },
  account: { name: 'a', publicKey: account.publicKey },
});

/** Reads a list in two pieces. @throws the error of a bad row */
async function badRowsOf(input: Uint8Array, format: RowFormat): Promise<void> {
  const half = Math.floor(input.length / 2);
  const errors: Error[] = [];
  for await (const row of readRows(Readable.from([input.subarray(0, half), input.subarray(half)]), format))
    if ('error' in row) errors.push(row.error);
  each(
    ...errors.map((error) => () => {
      throw error;
    }),
  );
}

export const TARGETS: Readonly<Record<TargetName, Target>> = {
  '.creds files': {
    seeds: [credsText, credsText.replaceAll('\n', '\r\n'), credsText + credsText, `\ufeff${credsText}`],
    run: (input) => parseCredsData(input, 'fuzz'),
  },
  'keys and seeds': {
    seeds: [user.seed, account.publicKey, user.publicKey, operator.publicKey, 'X', 'SX'],
    run: (input) =>
      each(
        () => decodeSeed(input),
        () => decodePublicKey(latin(input)),
        ...ROLES.map((role) => () => loadKeyBundle(role, input)),
      ),
  },
  'JWTs as text': {
    seeds: [userJwt, accountJwt, operatorJwt],
    run: (input) =>
      each(
        () => decodeUserJwt(latin(input)),
        () => decodeAccountJwt(latin(input)),
        () => decodeOperatorJwt(latin(input)),
        () => userNameOf(latin(input)),
        () => userSubjectAsServersReadIt(latin(input)),
        () => userIssuedAtAsServersReadIt(latin(input)),
      ),
  },
  'claims, signed': {
    seeds: [payloadOf(userJwt), payloadOf(accountJwt), payloadOf(operatorJwt)],
    run: (input) => {
      const [byAccount, byOperator] = [signedBy(account, input), signedBy(operator, input)];
      each(
        () => decodeUserJwt(byAccount),
        () => decodeAccountJwt(byOperator),
        () => decodeOperatorJwt(byOperator),
        () => userIssuedAtAsServersReadIt(byAccount),
        () => validateJwtChain(operatorJwt, accountJwt, byAccount),
        () => validateJwtChain(operatorJwt, byOperator, userJwt),
        () => validateJwtChain(byOperator, accountJwt, userJwt),
      );
    },
  },
  'requests and answers': {
    seeds: [
      JSON.stringify({
        requestId: 'a',
        peelId: 'web-01',
        publicKey: user.publicKey,
        proof: 'x',
        challenge: 'x',
        jwt: userJwt,
      }),
      JSON.stringify({ jwt: userJwt, requestId: 'a', state: 'pending', accountPublicKey: account.publicKey }),
      '{"error":{"code":"ERR_X","message":"m","final":true}}',
      '',
    ],
    run: (input) =>
      each(
        ...REQUESTS.flatMap((name) => [
          () => void parseRequest(name, input),
          () => void parseAnswer(name, input),
        ]),
        () => refusalIn(input),
        () => readCommandAnswer(input, 'web-01'),
      ),
  },
  'signed messages': {
    seeds: [`${userJwt}\n${'A'.repeat(86)}\n1700000000000\nabcdefghijklmnopqrstuv\n{"kind":"rotate"}`],
    run: (input) => {
      const [jwt = '', signature = '', time = '', nonce = '', ...data] = latin(input).split('\n');
      const headers = newHeaders();
      const values = {
        'Zester-Jwt': jwt,
        'Zester-Signature': signature,
        'Zester-Request-Signature': signature,
        'Zester-Time': time,
        'Zester-Nonce': nonce,
      };
      for (const [name, value] of Object.entries(values))
        headers.set(name, value.replace(/[^\x20-\x7e]/g, ''));
      const message = { subject: 'zester.admin.x', data: Buffer.from(data.join('\n')), headers };
      each(
        () => openRequest(message, 1_700_000_000_000),
        () => readNotice(message, 'web-01', decodeUserJwt(userJwt), 1_700_000_000_000),
      );
    },
  },
  'records and audit events': {
    seeds: [
      JSON.stringify(event),
      JSON.stringify({ record, event }),
      JSON.stringify({ ...event, kind: 'later.kind', change: {} }),
    ],
    run: (input) =>
      each(
        () => parseAnyEvent(input),
        () => parseStoredRecord(input),
      ),
  },
  'server events': {
    seeds: [JSON.stringify(connect)],
    run: (input) => {
      const message = { string: () => text(input) };
      const nc = {
        subscribe: (_: string, { callback }: { callback: (error: null, msg: unknown) => void }) =>
          callback(null, message),
      };
      const nothing = () => undefined;
      listenToSystem(nc as never, 'A', { connected: nothing, disconnected: nothing, clock: nothing });
    },
  },
  'server replies': {
    seeds: [
      JSON.stringify(connz),
      '{"error":{"code":500}}',
      '{"server":{"id":"N"},"data":{"connections":[]}}',
    ],
    run: async (input) => {
      const nc = answering(input);
      await eachAsync(
        () => listServers(nc),
        () => downServers(nc, [SERVER]),
        () => outsideJetStream(nc, [SERVER] as never),
        () => connectedUsers(nc, 'A'),
        () => jetStreamStorage(nc, 1),
        () => revocationsInForce(nc, SERVER.id, 'A'),
        () =>
          pushToServers(
            { nc, up: [SERVER], direct: new DirectConnections(nc, []) },
            { jwt: accountJwt, account: 'A' },
          ),
      );
    },
  },
  configuration: {
    seeds: [
      'policy: manual\nlifetime: 24h\nlogLevel: debug\nservers:\n  - nats://a:4222\n',
      'home: /x\n# c\nmetrics: 127.0.0.1:9\n',
      'a: &a [*a]',
    ],
    run: async (input) => {
      const config = fileOf(input);
      await loadConfig('master', { config }, io as never);
      await loadConfig('peel', { config }, io as never);
    },
  },
  'lists of peels': {
    seeds: ['web-01\nweb-02 # c\n', 'id,host\nweb-01,"h, ""x"""\n', '{"id":"web-01","host":"h"}\n"web-02"\n'],
    run: async (input) => {
      await eachAsync(...ROW_FORMATS.map((format) => () => badRowsOf(input, format)));
    },
  },
  backups: {
    seeds: [
      await tar([
        ['backup.json', header],
        [
          'peels/000001.ndjson',
          `${JSON.stringify({ key: 'web-01', value: JSON.stringify({ record, event }) })}\n`,
        ],
        [
          'audit/000001.ndjson',
          `${JSON.stringify({ id: 'e1', subject: 'zester.audit.web-01.peel.accepted', data: '{}' })}\n`,
        ],
      ]),
    ],
    run: async (input) => {
      const encrypter = new Encrypter();
      encrypter.addRecipient(recipient);
      const path = fileOf(await encrypter.encrypt(input));
      for await (const piece of readBackup(path, [identity])) printable(piece.is);
    },
  },
  'backups, encrypted': {
    seeds: [
      await (async () => {
        const e = new Encrypter();
        e.addRecipient(recipient);
        return e.encrypt(Buffer.from('x'.repeat(600)));
      })(),
    ],
    run: async (input) => {
      for await (const piece of readBackup(fileOf(input), [identity])) printable(piece.is);
    },
  },
  'files of a home': {
    seeds: [
      JSON.stringify({ version: 1, operator: { name: 'O' }, account: {} }),
      JSON.stringify({ peelId: 'a', publicKey: user.publicKey, issuedAt: 1, expiresAt: 2 }),
      '[]',
      `${userJwt}\n`,
    ],
    run: async (input) => {
      const path = fileOf(input);
      await eachAsync(
        () => Promise.resolve().then(() => parseSettings(path, input)),
        () => readIssued(path),
        () => loadCampaign(path),
      );
    },
  },
  text: {
    seeds: [
      '[7] 2026/01/01 00:00:00 [INF] Server is ready',
      '{"level":30,"time":1,"msg":"x","a":{"b":1}}',
      'nats://u:p@h:4222,tls://[::1]:1',
      'n1=nats://a:1',
    ],
    run: (input) =>
      each(
        () => printable(text(input)),
        () => printableJson(JSON.stringify({ a: text(input) })),
        () => readServerLogLine(text(input)),
        () =>
          readableLine(JSON.stringify({ level: 30, time: 1, msg: text(input), error: text(input) }), true),
        () => parseServerUrls(text(input)),
        () => parseClusterNode(text(input)),
      ),
  },
};
