import { describe, expect, it } from 'vitest';
import { judgeReply } from '../../src/protocol/reply-subject.js';

const INBOXES = ['_INBOX.web-01'];

describe('an answer', () => {
  it.each(['_INBOX.web-01.a', '_INBOX.web-01.Qe3BLKzW7n.0', '_INBOX.web-01.a-b_c=d.1'])(
    'goes below the inbox of the caller: %s',
    (reply) => expect(judgeReply(reply, INBOXES)).toEqual({ is: 'allowed', subject: reply }),
  );

  it.each([undefined, ''])('is not sent without a reply subject (%j)', (reply) => {
    expect(judgeReply(reply, INBOXES)).toEqual({ is: 'unanswered' });
  });

  it.each([
    '_INBOX.web-01',
    '_INBOX.web-01.',
    '_INBOX.web-01..a',
    '_INBOX.web-01.a.',
    '_INBOX.web-01.*',
    '_INBOX.web-01.>',
    '_INBOX.web-01.a*',
    '_INBOX.web-01.a b',
    '_INBOX.web-01.a\r\nPUB x',
    '_INBOX.web-01.ü',
    `_INBOX.web-01.${'x'.repeat(300)}`,
    '_INBOX.web-011.a',
    '_INBOX.web-02.a',
    '_inbox.web-01.a',
    'x._INBOX.web-01.a',
    '$JS.API.STREAM.PURGE.KV_zester-peels',
    '$KV.zester-peels.web-01',
    '$SYS.REQ.SERVER.PING',
    'zester.cmd.web-01',
    'zester.audit.web-01.peel.revoked',
    'zester.job.1.return.web-01',
  ])('is refused on %j', (reply) => {
    expect(judgeReply(reply, INBOXES).is).toBe('refused');
  });

  it('is refused to a caller that has no inbox', () => {
    expect(judgeReply('_INBOX.web-01.a', []).is).toBe('refused');
    expect(judgeReply('.a', ['']).is).toBe('refused');
  });
});
