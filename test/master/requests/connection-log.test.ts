import { describe, expect, it } from 'vitest';
import { CredsError } from '../../../src/errors.js';
import { ConnectionLog } from '../../../src/master/requests/connection-log.js';

function started() {
  const lines: string[] = [];
  const say = (level: string) => (_fields: object, message: string) => void lines.push(`${level} ${message}`);
  const logger = { debug: () => undefined, info: say('info'), warn: say('warn'), error: say('error') };
  let time = 0;
  const log = new ConnectionLog(logger, () => time);
  return { lines, log, pass: (ms: number) => (time += ms) };
}

const DOWN = 'warn disconnected: reconnecting, and buffering published messages';

describe("the log of a master's connections", () => {
  it('logs once that all are down, and once that all are back', () => {
    const { log, lines } = started();
    for (let outage = 1; outage <= 2; outage++) {
      for (const name of ['main', 'system', 'peels']) log.handle(name, 'a.creds', { type: 'buffering' });
      expect(log.isDown).toBe(true);
      for (const name of ['peels', 'main']) {
        log.handle(name, 'a.creds', { type: 'bufferSent', messages: 1, bytes: 5 });
        log.handle(name, 'a.creds', { type: 'reconnected', server: 'n1:4222' });
      }
      expect(lines).toHaveLength(2 * outage - 1);
      log.handle('system', 'a.creds', { type: 'reconnected', server: 'n2:4222' });
      expect(log.isDown).toBe(false);
    }
    expect(lines).toEqual([DOWN, 'info reconnected to n2:4222', DOWN, 'info reconnected to n2:4222']);
  });

  it('logs a refusal of the same credentials once, and again when it persists', () => {
    const { log, lines, pass } = started();
    const refuse = (name: string, creds: string) =>
      log.handle(name, creds, { type: 'refused', reason: 'Revoked', attempts: 1, advice: 'see there' });
    refuse('main', 'master.creds');
    pass(1_000);
    refuse('peels', 'master.creds');
    refuse('system', 'system.creds');
    expect(lines).toHaveLength(2);
    pass(30_000);
    refuse('main', 'master.creds');
    expect(lines).toHaveLength(3);
  });

  it('distinguishes two faults of one file', () => {
    const { log, lines } = started();
    for (const why of ['it is torn', 'it is torn', 'it is empty'])
      log.handle('main', 'master.creds', {
        type: 'credentialsRejected',
        path: 'master.creds',
        error: new CredsError('ERR_CREDS_FORMAT', 'master.creds', why),
        inUse: undefined,
      });
    expect(lines).toEqual([
      'warn credentials not used: it is torn',
      'warn credentials not used: it is empty',
    ]);
  });

  it('sums the messages that none of them delivered', () => {
    const { log, lines } = started();
    log.handle('main', 'a.creds', { type: 'undelivered', messages: 2, bytes: 7 });
    log.handle('peels', 'a.creds', { type: 'undelivered', messages: 1, bytes: 3 });
    expect(lines).toEqual([]);
    log.end();
    expect(lines).toEqual(['warn closed with undelivered messages']);
    const quiet = started();
    quiet.log.end();
    expect(quiet.lines).toEqual([]);
  });
});
