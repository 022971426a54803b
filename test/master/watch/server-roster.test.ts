import { describe, expect, it } from 'vitest';
import { ServerRoster } from '../../../src/master/watch/server-roster.js';

const servers = (of: Record<string, string>) => new Map(Object.entries(of));
const NOTHING = { hasJoined: false, gone: [] };

describe('a check of the servers', () => {
  it('shows no change the first time', () => {
    expect(new ServerRoster().look(servers({ N1: 'a', N2: 'b' }), ['N1'])).toEqual(NOTHING);
  });

  it('shows that a server has joined, once', () => {
    const roster = new ServerRoster();
    roster.look(servers({ N1: 'a' }), []);
    expect(roster.look(servers({ N1: 'a', N2: 'b' }), [])).toEqual({ hasJoined: true, gone: [] });
    expect(roster.look(servers({ N1: 'a', N2: 'b' }), [])).toEqual(NOTHING);
  });

  it('drops a server that misses two in a row', () => {
    const roster = new ServerRoster();
    roster.look(servers({ N1: 'a', N2: 'b' }), ['N2']);
    expect(roster.look(servers({ N1: 'a' }), ['N2'])).toEqual(NOTHING);
    expect(roster.look(servers({ N1: 'a' }), ['N2'])).toEqual({
      hasJoined: false,
      gone: [{ id: 'N2', mayReturn: true }],
    });
  });

  it('forgives a server that responds again in between', () => {
    const roster = new ServerRoster();
    const [both, one] = [servers({ N1: 'a', N2: 'b' }), servers({ N1: 'a' })];
    for (const responding of [both, one, both, one]) {
      expect(roster.look(responding, ['N2'])).toEqual(NOTHING);
    }
  });

  it('shows at once that a server was restarted: its name has another ID', () => {
    const roster = new ServerRoster();
    roster.look(servers({ N1: 'a', N2: 'b' }), ['N2']);
    expect(roster.look(servers({ N1: 'a', N3: 'b' }), ['N2'])).toEqual({
      hasJoined: true,
      gone: [{ id: 'N2', mayReturn: false }],
    });
  });

  it('ignores a server without connections', () => {
    const roster = new ServerRoster();
    roster.look(servers({ N1: 'a', N2: 'b' }), []);
    for (let i = 0; i < 3; i++) expect(roster.look(servers({ N1: 'a' }), []).gone).toEqual([]);
  });
});
