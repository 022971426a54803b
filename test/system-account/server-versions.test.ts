import { describe, expect, it } from 'vitest';
import {
  compareVersions,
  versionProblems,
  versionSupport,
} from '../../src/system-account/server-versions.js';

describe('the supported versions of nats-server', () => {
  it.each([
    ['2.9.10', false, 'below-range'],
    ['2.9.10', true, 'too-old'],
    ['2.9.21', true, 'too-old'],
    ['2.9.22', true, 'below-range'],
    ['v2.10.0', true, 'supported'],
    ['2.10.27', false, 'supported'],
    ['2.15.1', true, 'supported'],
    ['2.15.2', true, 'untested'],
    ['3.0.0-preview.1', false, 'untested'],
    ['dev', true, 'unknown'],
    ['', false, 'unknown'],
  ] as const)('says that %j, in a cluster: %s, is %s', (version, clustered, support) => {
    expect(versionSupport(version, { clustered })).toBe(support);
  });

  it('compares by numbers, not by text', () => {
    const sorted = ['2.9.10', '2.10.2', '2.10.27', '2.11.0', '10.0.0'];
    expect([...sorted].reverse().sort(compareVersions)).toEqual(sorted);
  });

  it('names each unsupported server, and the version to install', () => {
    const servers = [
      { name: 'n1', version: '2.10.27', cluster: 'c' },
      { name: 'n2', version: '2.9.10', cluster: 'c' },
      { name: 'n3', version: '2.99.0', cluster: 'c' },
    ];
    const problems = versionProblems(servers);
    expect(problems.map(({ server, support }) => [server, support])).toEqual([
      ['n2', 'too-old'],
      ['n3', 'untested'],
    ]);
    expect(problems[0]?.message).toContain('2.9.10');
    expect(problems[0]?.fix).toContain('2.10.0 to 2.15.1');
  });

  it('reports a single server of 2.9 only as older than the range', () => {
    const [problem] = versionProblems([{ name: 'n1', version: '2.9.10', cluster: undefined }]);
    expect(problem?.support).toBe('below-range');
  });
});
