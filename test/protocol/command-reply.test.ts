import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandReplyVerdict, newCommandReply } from '../../src/protocol/command-reply.js';
import { peelPermissions } from '../../src/permissions/roles.js';
import { subjectCovers } from '../../src/permissions/subject.js';
import { refusal } from '../support/refusal.js';

describe('the reply subject of a command', () => {
  it('is new each time, answered by its peel, and covered by the peel’s own grants', () => {
    const subjects = new Set(Array.from({ length: 1_000 }, () => newCommandReply('web-01')));
    expect(subjects.size).toBe(1_000);
    for (const subject of subjects) {
      expect(commandReplyVerdict(subject, 'web-01')).toBe('answer');
      expect(peelPermissions('web-01').publish?.allow?.some((p) => subjectCovers(p, subject))).toBe(true);
    }
  });

  it('is only made for a peel id', async () => {
    for (const id of ['*', 'a.b', '>', '', '_zester-master'])
      await refusal('ERR_PEEL_ID', () => newCommandReply(id));
  });

  it.each([undefined, ''])('may be absent: %o', (reply) => {
    expect(commandReplyVerdict(reply, 'web-01')).toBe('none');
  });

  it.each([
    '_INBOX._zester-admin.abc.1',
    '_INBOX.web-01.abc',
    'zester.job.1.return.web-02',
    'zester.job.1.return.web-01.x',
    'zester.job.1.return',
    'zester.job.1.ack.web-01',
    'zester.job..return.web-01',
    'zester.job.*.return.web-01',
    'zester.job.>',
    'zester.job.a b.return.web-01',
    'zester.job.a\u0000.return.web-01',
    `zester.job.${'a'.repeat(65)}.return.web-01`,
    'Zester.job.1.return.web-01',
    'zester.cmd.web-01',
    'zester.event.web-01.x',
    'zester.auth.web-01.renew',
    '$JS.API.STREAM.PURGE.KV_zester-peels',
    '$KV.zester-peels.web-01',
    '$SYS.REQ.SERVER.PING',
    '>',
    ' ',
  ])('is refused when it is %o', (reply) => {
    expect(commandReplyVerdict(reply, 'web-01')).toBe('refuse');
  });

  it('is refused when it is anything else', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('zester', 'job', 'n1', 'return', 'web-01', '*', '')), (tokens) => {
        const reply = tokens.join('.');
        const isIts =
          reply === `zester.job.${tokens[2] ?? ''}.return.web-01` && /^[a-z0-9-]+$/.test(tokens[2] ?? '');
        expect(commandReplyVerdict(reply, 'web-01')).toBe(
          reply === '' ? 'none' : isIts ? 'answer' : 'refuse',
        );
      }),
      { numRuns: 2_000 },
    );
  });
});
