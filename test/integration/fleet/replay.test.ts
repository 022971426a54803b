import { headers as newHeaders, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectMaster } from '../../../src/connection/connect.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { adminSubject, type AdminVerb } from '../../../src/permissions/names.js';
import { requestMaster } from '../../../src/protocol/admin-client.js';
import { encodeJson, parseAnswer, refusalIn } from '../../../src/protocol/messages.js';
import { MessageSigner } from '../../../src/protocol/signed.js';
import { signRequest } from '../../../src/protocol/signed-request.js';
import { ADMIN_REQUEST_WINDOW_MS } from '../../../src/timing.js';
import { atEnd } from '../../support/cleanup.js';
import { refusal } from '../../support/refusal.js';
import { startFleet, type Fleet } from './fleet.js';

let fleet: Fleet;
let nc: NatsConnection;
let signer: MessageSigner;
beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 900 });
  const { adminCreds } = (await fleet.home.domain()).paths;
  nc = await connectMaster({ ...fleet.connection, credsPath: adminCreds });
  atEnd(() => nc.close());
  signer = new MessageSigner(await loadCredsFile(adminCreds));
});

const accept = encodeJson({ peelId: 'nobody' });
const subject = adminSubject('peel.accept');
const signed = (stamp = {}) => signRequest(signer, subject, accept, stamp);

/**
 * Sends a signed request.
 *
 * @throws the refusal
 */
async function send(headers: MsgHdrs, { to = subject, data = accept } = {}): Promise<unknown> {
  const answer = await requestMaster(nc, to, data, { headers });
  const verb = to.slice(adminSubject('' as AdminVerb).length) as AdminVerb;
  return parseAnswer(verb, answer.data);
}

function altered(headers: MsgHdrs, name: string, value: string): MsgHdrs {
  const copy = newHeaders();
  for (const key of headers.keys()) copy.set(key, headers.get(key));
  copy.set(name, value);
  return copy;
}

describe('a signed request of an admin', () => {
  it('is accepted once, and a replay is audited', async () => {
    const headers = signed();
    await refusal('ERR_FLEET_UNKNOWN_PEEL', () => send(headers));
    await refusal('ERR_FLEET_REPLAY', () => send(headers));
    await fleet.audited('request.refused', ({ code }) => code === 'ERR_FLEET_REPLAY');
  });

  it('that only reads is accepted once by the same master', async () => {
    const to = adminSubject('status');
    const data = encodeJson({});
    const headers = signRequest(signer, to, data);
    await send(headers, { to, data });
    await refusal('ERR_FLEET_REPLAY', () => send(headers, { to, data }));
  });

  it('that was answered by one master is refused by all others, and by those that start later', async () => {
    const headers = signed();
    await refusal('ERR_FLEET_UNKNOWN_PEEL', () => send(headers));
    const first = fleet.master;
    await fleet.startMaster({ policy: 'manual' });
    await first.stop();
    await refusal('ERR_FLEET_REPLAY', () => send(headers));
  });

  it.each([
    ['before', -1],
    ['after', 1],
  ])('is refused when it was signed too long %s its arrival', async (when, sign) => {
    const off = sign * (ADMIN_REQUEST_WINDOW_MS + 10_000);
    const error = await refusal('ERR_FLEET_CLOCK', () => send(signed({ time: Date.now() + off })));
    expect(error.message).toMatch(new RegExp(`signed (69|70|71) s ${when} its arrival`));
    await refusal('ERR_FLEET_UNKNOWN_PEEL', () => send(signed({ time: Date.now() + sign * 30_000 })));
  });

  it('is refused with another time, another nonce, another subject or other data', async () => {
    const headers = signed();
    const other = signed();
    await refusal('ERR_FLEET_PROOF', () => send(altered(headers, 'Zester-Time', String(Date.now() + 1))));
    await refusal('ERR_FLEET_PROOF', () => send(altered(headers, 'Zester-Nonce', other.get('Zester-Nonce'))));
    await refusal('ERR_FLEET_PROOF', () => send(headers, { to: adminSubject('peel.revoke') }));
    await refusal('ERR_FLEET_PROOF', () => send(headers, { data: encodeJson({ peelId: 'other' }) }));
    // none of them has consumed the nonce
    await refusal('ERR_FLEET_UNKNOWN_PEEL', () => send(headers));
  });

  it.each([
    ['a time that is no number', { time: 1e21 }],
    ['a negative time', { time: -1 }],
    ['a short nonce', { nonce: 'abc' }],
    ['a nonce with a wildcard', { nonce: 'aaaaaaaaaaaaaaaa.>' }],
    ['a long nonce', { nonce: 'a'.repeat(65) }],
  ])('is refused with %s', async (_what, stamp) => {
    await refusal('ERR_FLEET_PROOF', () => send(signed(stamp)));
  });

  it('of an earlier version, without a time, is refused with the advice to upgrade', async () => {
    const answer = await requestMaster(nc, subject, accept, {
      headers: signer.sign(`request ${subject}`, accept),
    });
    expect(refusalIn(answer.data)).toMatchObject({ code: 'ERR_FLEET_PROOF' });
    expect(refusalIn(answer.data)?.message).toMatch(/upgrade zester/);
  });
});
