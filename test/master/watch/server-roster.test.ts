import { describe, expect, it } from 'vitest';
import { ServerRoster } from '../../../src/master/watch/server-roster.js';

const servers = (of: Record<string, string>, routed: string[] = []) => ({
  names: new Map(Object.entries(of)),
  routed: new Set(routed),
});
const NOTHING = { hasJoined: false, gone: [] };

describe('a check of the servers', () => {
  it('shows no change the first time', () => {
    expect(new ServerRoster().check(servers({ N1: 'a', N2: 'b' }), ['N1'])).toEqual(NOTHING);
  });

  it('shows that a server has joined, once', () => {
    const roster = new ServerRoster();
    roster.check(servers({ N1: 'a' }), []);
    expect(roster.check(servers({ N1: 'a', N2: 'b' }), [])).toEqual({ hasJoined: true, gone: [] });
    expect(roster.check(servers({ N1: 'a', N2: 'b' }), [])).toEqual(NOTHING);
  });

  it('drops a server that misses two in a row', () => {
    const roster = new ServerRoster();
    roster.check(servers({ N1: 'a', N2: 'b' }), ['N2']);
    expect(roster.check(servers({ N1: 'a' }), ['N2'])).toEqual(NOTHING);
    expect(roster.check(servers({ N1: 'a' }), ['N2'])).toEqual({
      hasJoined: false,
      gone: [{ id: 'N2', mayReturn: true }],
    });
  });

  it('forgives a server that responds again in between', () => {
    const roster = new ServerRoster();
    const [both, one] = [servers({ N1: 'a', N2: 'b' }), servers({ N1: 'a' })];
    for (const responding of [both, one, both, one]) {
      expect(roster.check(responding, ['N2'])).toEqual(NOTHING);
    }
  });

  it('shows at once that a server was restarted: its name has another ID', () => {
    const roster = new ServerRoster();
    roster.check(servers({ N1: 'a', N2: 'b' }), ['N2']);
    expect(roster.check(servers({ N1: 'a', N3: 'b' }), ['N2'])).toEqual({
      hasJoined: true,
      gone: [{ id: 'N2', mayReturn: false }],
    });
  });

  it('is patient with a silent server that another one has a route to: it is busy', () => {
    const roster = new ServerRoster();
    roster.check(servers({ N1: 'a', N2: 'b' }, ['a', 'b']), ['N2']);
    for (let i = 0; i < 10; i++) {
      expect(roster.check(servers({ N1: 'a' }, ['b']), ['N2'])).toEqual(NOTHING);
    }
    expect(roster.check(servers({ N1: 'a', N2: 'b' }, ['a', 'b']), ['N2'])).toEqual(NOTHING);
    roster.check(servers({ N1: 'a' }, ['b']), ['N2']);
    // the route has ended: it was killed
    expect(roster.check(servers({ N1: 'a' }), ['N2']).gone).toEqual([{ id: 'N2', mayReturn: true }]);
  });

  it('drops a server that stays silent, even with a route', () => {
    const roster = new ServerRoster();
    roster.check(servers({ N1: 'a', N2: 'b' }, ['b']), ['N2']);
    const checks = Array.from({ length: 20 }, () => roster.check(servers({ N1: 'a' }, ['b']), ['N2']));
    expect(checks.at(-1)?.gone).toEqual([{ id: 'N2', mayReturn: true }]);
    expect(checks.slice(0, -1).every(({ gone }) => gone.length === 0)).toBe(true);
  });

  it('ignores a server without connections', () => {
    const roster = new ServerRoster();
    roster.check(servers({ N1: 'a', N2: 'b' }), []);
    for (let i = 0; i < 3; i++) expect(roster.check(servers({ N1: 'a' }), []).gone).toEqual([]);
  });
});
