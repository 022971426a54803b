import { describe, expect, it } from 'vitest';
import { readServerLogLine } from '../../src/nats-server/log-line.js';

const line = (level: string, text: string) => `[9358] 2026/11/28 13:26:53.149001 [${level}] ${text}`;

describe('readServerLogLine', () => {
  it.each([
    ['INF', 'debug'],
    ['DBG', 'debug'],
    ['WRN', 'warn'],
    ['ERR', 'error'],
    ['FTL', 'error'],
  ])('gives a line of level %s the level %s', (theirs, ours) => {
    expect(readServerLogLine(line(theirs, 'no space left'))).toEqual({ level: ours, text: 'no space left' });
  });

  it.each([
    'Filestore [KV_zester-peels] Stream state outdated, last block has additional entries, will rebuild',
    'Filestore [zester-audit] Recovering stream state from index errored: prior state file',
  ])('does not warn about an index that JetStream rebuilds after a kill: %s', (text) => {
    expect(readServerLogLine(line('WRN', text))).toEqual({ level: 'debug', text });
  });

  it.each([
    'Filestore [zester-audit] Recovering stream state from index errored: corrupt state file',
    'Filestore [zester-audit] Stream state encountered internal inconsistency on recover',
    'Filestore [zester-audit] loadBlock error: message block data missing',
  ])('still warns about damage: %s', (text) => {
    expect(readServerLogLine(line('WRN', text))).toEqual({ level: 'warn', text });
  });

  it('returns a line without the usual prefix unchanged', () => {
    expect(readServerLogLine('goroutine 1 [running]:')).toEqual({
      level: 'debug',
      text: 'goroutine 1 [running]:',
    });
  });
});
