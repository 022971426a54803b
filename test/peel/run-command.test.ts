import type { Msg } from '@nats-io/nats-core';
import { describe, expect, it } from 'vitest';
import type { PeelEvent } from '../../src/peel/events.js';
import { runCommand } from '../../src/peel/run-command.js';

const OWN = 'zester.job.a-nonce.return.web-01';

/** Runs a command with this reply subject. */
async function ran(reply: string | undefined, { isClosed = false, subject = 'zester.cmd.web-01' } = {}) {
  const commands: string[] = [];
  const answers: string[] = [];
  const events: PeelEvent[] = [];
  const msg = {
    subject,
    reply,
    data: Buffer.from('a command'),
    respond: (payload: Uint8Array) => {
      if (isClosed) throw new Error('the connection is closed');
      answers.push(Buffer.from(payload).toString());
      return true;
    },
  };
  await runCommand(msg as unknown as Msg, {
    peelId: 'web-01',
    answer: async (command) => {
      commands.push(Buffer.from(command).toString());
      return Buffer.from('an answer');
    },
    emit: (event) => void events.push(event),
  });
  return { commands, answers, events };
}

describe('a command', () => {
  it('is answered on the peel’s own reply subject', async () => {
    expect(await ran(OWN)).toEqual({ commands: ['a command'], answers: ['an answer'], events: [] });
  });

  it('that wants no answer is run', async () => {
    for (const reply of [undefined, ''])
      expect(await ran(reply)).toEqual({ commands: ['a command'], answers: [], events: [] });
  });

  it.each(['zester.job.a-nonce.return.web-02', '_INBOX.somebody', 'zester.event.web-01.started', `${OWN}.x`])(
    'with the reply subject %s is neither run nor answered, but reported',
    async (reply) => {
      const { commands, answers, events } = await ran(reply);
      expect([commands, answers]).toEqual([[], []]);
      expect(events).toEqual([{ type: 'commandRefused', subject: 'zester.cmd.web-01', reply }]);
    },
  );

  it('is reported with bounded, printable subjects, whatever the sender chose', async () => {
    const { events } = await ran(`\u001b[2J\u00e9${'x'.repeat(1_000)}`, { subject: 'zester\n' });
    expect(events).toEqual([
      { type: 'commandRefused', subject: 'zester?', reply: `?[2J?${'x'.repeat(195)}` },
    ]);
  });

  it('whose answer comes after the end of the connection is not answered', async () => {
    expect(await ran(OWN, { isClosed: true })).toMatchObject({ commands: ['a command'], answers: [] });
  });
});
