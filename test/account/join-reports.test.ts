import { describe, expect, it } from 'vitest';
import { joinReports } from '../../src/account/join-reports.js';

const done = (...confirmed: string[]) => ({ confirmed, failed: [], notReached: [] });

describe('the joined report of several pushes', () => {
  it('has a server as confirmed once it took all of them', () => {
    expect(joinReports(done('a', 'b'), done('b', 'a'))).toEqual(done('a', 'b'));
  });

  it('has a server that took only one of them as failed, whichever it was', () => {
    const failed = [{ server: 'a', problem: 'no space' }];
    const one = { ...done('b'), failed };
    const joined = { confirmed: ['b'], failed, notReached: [] };
    expect(joinReports(one, done('a', 'b'))).toEqual(joined);
    expect(joinReports(done('a', 'b'), one)).toEqual(joined);
  });

  it('lists the same problem of a server once, and different ones all', () => {
    const no = (problem: string) => ({ ...done(), failed: [{ server: 'a', problem }] });
    expect(joinReports(no('x'), no('x')).failed).toEqual([{ server: 'a', problem: 'x' }]);
    expect(joinReports(no('x'), no('y')).failed.map(({ problem }) => problem)).toEqual(['x', 'y']);
  });

  it('lists a server that no push reached once', () => {
    const one = { ...done('a'), notReached: ['b'] };
    expect(joinReports(one, { ...one, notReached: ['b', 'c'] }).notReached).toEqual(['b', 'c']);
  });

  it('ignores a push that did not happen', () => {
    expect(joinReports(undefined, done('a'))).toEqual(done('a'));
    expect(joinReports(undefined, undefined)).toEqual(done());
  });
});
