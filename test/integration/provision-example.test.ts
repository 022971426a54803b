import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeUserJwt } from '../../src/jwt/decode.js';
import { parseCredsData } from '../../src/creds/parse.js';
import { startTestFleet, type TestFleet } from '../../src/testing/index.js';
import { openTrustDomain } from '../../src/trust/open.js';
import { signingSeedPath } from '../../src/trust/keys/signing-seed.js';
import { atEnd } from '../support/cleanup.js';
import { SEED } from '../support/refusal.js';
import { tsProgram } from '../support/ts-program.js';
import { waitFor } from '../support/wait-for.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/provision.ts', import.meta.url));
const TOKEN = 'a-token-of-a-test';

let fleet: TestFleet;
let service: string;
let output = '';
let issued: string;
let stop: () => Promise<unknown>;
beforeAll(async () => {
  fleet = await startTestFleet({ master: { policy: 'auto-trusted' } });
  atEnd(() => fleet.close());
  const { paths, publicKeys } = await openTrustDomain(fleet.home);
  const seed = signingSeedPath(paths, 'peel-signing', publicKeys.peelSigning);
  issued = join(fleet.dir, 'issued');
  const program = spawn(process.execPath, [tsProgram(EXAMPLE), seed, publicKeys.account, issued, '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PROVISION_TOKEN: TOKEN },
  });
  const ended = once(program, 'exit');
  atEnd(async () => program.kill('SIGKILL'));
  stop = () => {
    program.kill('SIGTERM');
    return ended;
  };
  for (const stream of [program.stdout, program.stderr])
    stream.on('data', (data) => (output += String(data)));
  const port = await waitFor('the service', () => /"port":(\d+)/.exec(output)?.[1]);
  service = `http://127.0.0.1:${port}`;
});

function ask(body: string, { token = TOKEN, path = '/peels' } = {}): Promise<Response> {
  return fetch(`${service}${path}`, { method: 'POST', body, headers: { authorization: `Bearer ${token}` } });
}

describe('the provisioning service of examples/', () => {
  it('has at most sixty lines', async () => {
    expect((await readFile(EXAMPLE, 'utf8')).trimEnd().split('\n').length).toBeLessThanOrEqual(60);
  });

  it('gives a host credentials with which it is a peel of the fleet', async () => {
    const response = await ask('web-01');
    expect(response.status).toBe(201);
    const credsPath = join(fleet.dir, 'web-01.creds');
    await writeFile(credsPath, Buffer.from(await response.arrayBuffer()), { mode: 0o600 });
    const peel = await fleet.startPeel('web-01', { credsPath });
    expect(await readFile(join(issued, 'web-01'), 'utf8')).toBe(`${peel.credentials.publicKey}\n`);
    const admin = await fleet.connect();
    const replies: unknown[] = [];
    for await (const { ok } of admin.peels.exec('web-01', 'ping')) replies.push(ok);
    expect(replies).toEqual([true]);
  });

  it('gives an ID to only one of many concurrent callers', async () => {
    const responses = await Promise.all(Array.from({ length: 8 }, () => ask('db-01')));
    const given = responses.filter(({ status }) => status === 201);
    expect(responses.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(7).fill(409)]);
    const bytes = new Uint8Array((await given[0]?.arrayBuffer()) ?? []);
    const { sub, name } = decodeUserJwt(parseCredsData(bytes, 'the answer').jwt);
    expect(name).toBe('db-01');
    expect(await readFile(join(issued, 'db-01'), 'utf8')).toBe(`${sub}\n`);
  });

  it.each([
    ['a path', '../../etc/passwd', {}, 400],
    ['a wildcard', '*', {}, 400],
    ['nothing', '', {}, 400],
    ['JSON', '{"peelId":"web-02"}', {}, 400],
    ['more than an ID', 'x'.repeat(100_000), {}, 413],
    ['a wrong token', 'web-03', { token: 'another-token-of-a-test' }, 401],
    ['another path', 'web-03', { path: '/' }, 404],
  ])('refuses %s, and issues nothing', async (_what, body, options, status) => {
    const before = await readdir(issued);
    const response = await ask(body, options);
    expect(response.status).toBe(status);
    expect(await response.text()).not.toMatch(SEED);
    expect(await readdir(issued)).toEqual(before);
  });

  it('stops on request, and logs no seed', async () => {
    expect(await stop()).toEqual([0, null]);
    expect(output).not.toMatch(SEED);
    expect(output.trim().split('\n')).toHaveLength(1);
  });
});
