import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeJudged,
  encodeJudged,
  RememberedConnections,
  type JudgedConnection,
} from '../../../src/master/watch/judged-connections.js';

const text = fc.string({ minLength: 1, maxLength: 12 });
const connection = fc.record({ server: text, cid: fc.nat(), name: text, publicKey: text });

describe('the stored form of judged connections', () => {
  it('has each of them, and the keys that they were judged by', () => {
    fc.assert(
      fc.property(fc.array(connection, { maxLength: 50 }), text, (connections, judgedBy) => {
        const stored: unknown = JSON.parse(JSON.stringify(encodeJudged(connections, judgedBy)));
        const read = [...decodeJudged(stored)].map((one) => JSON.stringify(one)).sort();
        const written = connections.map(({ server, cid, name, publicKey }) =>
          JSON.stringify({ server, cid, name, publicKey, judgedBy }),
        );
        expect(read).toEqual(written.sort());
      }),
    );
  });

  it('leaves out those beyond the size of a message, which are judged again', () => {
    const connections = Array.from({ length: 10_000 }, (_, cid) => ({
      server: `N${'A'.repeat(55)}`,
      cid,
      name: `peel-${'x'.repeat(40)}-${cid}`,
      publicKey: `U${'A'.repeat(55)}`,
    }));
    const value = encodeJudged(connections, 'keys');
    expect([...decodeJudged(value)]).toHaveLength(4_000);
    expect(JSON.stringify(value).length).toBeLessThan(1_000_000);
  });

  it.each([
    ['nothing', undefined],
    ['another form', { connections: {}, lastSeen: 'x' }],
    [
      'a server that it does not name',
      { judgedBy: 'keys', servers: [], connections: [['web-1', 0, 7, 'U']] },
    ],
    ['a number that is no index', { judgedBy: 'keys', servers: ['N'], connections: [['web-1', -1, 7, 'U']] }],
    [
      'a connection without a number',
      { judgedBy: 'keys', servers: ['N'], connections: [['web-1', 0, '7', 'U']] },
    ],
  ])('of %s has none', (_name, value) => {
    expect([...decodeJudged(value)]).toEqual([]);
  });
});

describe('remembered connections', () => {
  const judged: JudgedConnection = { server: 'N1', cid: 7, name: 'web-1', publicKey: 'U1', judgedBy: 'keys' };

  it('are those with the same number on the same server, with what the list shows of them', () => {
    const remembered = new RememberedConnections();
    remembered.add(judged);
    const listed = {
      server: 'N1',
      cid: 7,
      serverName: 'n1',
      host: '10.0.0.7',
      since: '2030',
      kind: 'Client',
    };
    expect(remembered.get(listed)).toEqual({ ...judged, ...listed, jwt: undefined });
    expect(remembered.get({ ...listed, cid: 8 })).toBeUndefined();
    // a restarted server has another ID
    expect(remembered.get({ ...listed, server: 'N2' })).toBeUndefined();
  });

  it('are as the last master judged them', () => {
    const remembered = new RememberedConnections();
    remembered.add(judged);
    remembered.add({ ...judged, judgedBy: 'newer keys' });
    expect(remembered.get(judged)?.judgedBy).toBe('newer keys');
  });
});
