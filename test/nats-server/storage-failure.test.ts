import { describe, expect, it } from 'vitest';
import { storageFailureIn } from '../../src/nats-server/storage-failure.js';

const line = (level: string, text: string) => `[7] 2026/01/02 03:04:05.678901 [${level}] ${text}`;
const PATH = '/data/jetstream/$G/streams/S/msgs/1.blk';

describe('a line of a nats-server’s log', () => {
  it.each([
    `Filestore [S] Critical write error: write ${PATH}: no space left on device`,
    `JetStream stream '$G > S' critical write error: write ${PATH}: input/output error`,
    `RAFT [6DVFpukC - S-R3F-23bb5VVa] Critical write error: write ${PATH}: no space left on device`,
    'JetStream cluster meta group critical write error: no space left on device',
    'JetStream out of resources, will be DISABLED',
    'JetStream out of File resources, will be DISABLED',
    'JetStream out of space, will be DISABLED',
  ])('says that JetStream has stopped writing: %s', (text) => {
    expect(storageFailureIn(line('ERR', text))).toBe(text);
  });

  it.each([
    line('ERR', `JetStream failed to store a msg on stream '$G > S': write ${PATH}: no space left on device`),
    line('WRN', 'JetStream resource limits exceeded for account: "A"'),
    line('INF', 'a client named "Critical write error" connected'),
    'Critical write error',
    '',
  ])('does not: %s', (text) => {
    expect(storageFailureIn(text)).toBeUndefined();
  });
});
