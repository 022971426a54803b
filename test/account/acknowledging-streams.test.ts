import { describe, expect, it } from 'vitest';
import { acknowledgingStreams } from '../../src/account/acknowledging-streams.js';

const stream = (name: string, subjects: string[], no_ack = false) => ({ name, config: { subjects, no_ack } });

describe('a stream that acknowledges a peel’s messages', () => {
  it.each([
    ['the events of all peels', ['zester.event.>']],
    ['the events of one', ['zester.event.web-01.temperature']],
    ['everything', ['>']],
    ['answers', ['zester.job.*.return.*']],
  ])('takes %s', (_what, subjects) => {
    expect(acknowledgingStreams([stream('S', subjects), stream('S', subjects)])).toEqual(['S']);
    expect(acknowledgingStreams([stream('S', subjects, true)])).toEqual([]);
  });

  it('is not one for subjects that no peel publishes to, nor one of the fleet’s own', () => {
    const streams = [
      stream('ORDERS', ['orders.>']),
      stream('zester-audit', ['zester.audit.>']),
      stream('KV_zester-peels', ['$KV.zester-peels.>']),
    ];
    expect(acknowledgingStreams(streams)).toEqual([]);
  });

  it('is judged by the publish grants of this fleet’s template', () => {
    expect(acknowledgingStreams([stream('ORDERS', ['orders.>'])], ['orders.{{name()}}.>'])).toEqual([
      'ORDERS',
    ]);
  });
});
