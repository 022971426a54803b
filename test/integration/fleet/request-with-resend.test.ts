import type { NatsConnection } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { requestWithResend } from '../../../src/protocol/request-with-resend.js';
import { refusal } from '../../support/refusal.js';
import { startHome } from '../trust/support.js';
import { connectUser } from './asking.js';
import { Fleet } from './fleet.js';

const OPTIONS = { inboxPrefix: '_INBOX.asker', timeoutMs: 10_000 };
const REQUEST = Buffer.from('{"requestId":"r-1"}');

let asker: NatsConnection;
let responder: NatsConnection;

beforeAll(async () => {
  const fleet = new Fleet(await startHome());
  asker = await connectUser(fleet, 'asker', undefined);
  responder = await connectUser(fleet, 'responder', undefined);
});

describe('a retryable request', () => {
  it('is resent with the same inbox if the first one is lost, and not after an answer', async () => {
    const replies: string[] = [];
    responder.subscribe('test.lost', {
      callback: (_error, msg) => {
        expect(msg.string()).toBe('{"requestId":"r-1"}');
        replies.push(msg.reply ?? '');
        if (replies.length === 2) msg.respond('answer');
      },
    });
    await responder.flush();
    const { data } = await requestWithResend(asker, 'test.lost', REQUEST, OPTIONS);
    expect(Buffer.from(data).toString()).toBe('answer');
    expect(replies).toHaveLength(2);
    expect(new Set(replies).size).toBe(1);
    expect(replies[0]).toMatch(/^_INBOX\.asker\./);
  });

  it('is retried if there are no responders at first', async () => {
    const asked = requestWithResend(asker, 'test.late', REQUEST, OPTIONS);
    // the refusal of the first comes before the answer to this
    await asker.flush();
    responder.subscribe('test.late', { callback: (_error, msg) => void msg.respond('answer') });
    expect(Buffer.from((await asked).data).toString()).toBe('answer');
  });

  it('fails if there are no responders for long', async () => {
    await refusal('ERR_FLEET_NO_MASTER', () => requestWithResend(asker, 'test.nobody', REQUEST, OPTIONS));
  });

  it('fails without an answer in time', async () => {
    responder.subscribe('test.silent', { callback: () => undefined });
    await responder.flush();
    await refusal('ERR_FLEET_TIMEOUT', () =>
      requestWithResend(asker, 'test.silent', REQUEST, { ...OPTIONS, timeoutMs: 500 }),
    );
  });
});
