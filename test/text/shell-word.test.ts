import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { judgeStreams } from '../../src/doctor/integrity/judge-streams.js';
import { judgeUsers } from '../../src/doctor/integrity/judge-users.js';
import { AUDIT_STREAM } from '../../src/permissions/names.js';
import { shellWord } from '../../src/text/shell-word.js';

const HOSTILE = [
  '$(id)',
  '`id`',
  "a'; id; '",
  'a b',
  '',
  '*',
  '~',
  '"',
  '\\',
  'a\nid',
  '#',
  '!id',
  '-n',
  '&',
  'a;id',
];

describe('a suggested command', () => {
  it.each(HOSTILE)('contains a foreign text as one word: %j', (text) => {
    const printed = execFileSync('sh', ['-c', `printf '<%s>' ${shellWord(text)} end`], { encoding: 'utf8' });
    expect(printed).toBe(`<${text}><end>`);
  });

  it('leaves a plain word as it is', () => {
    expect(shellWord('zester-audit')).toBe('zester-audit');
    expect(shellWord('/etc/zester/peel.creds')).toBe('/etc/zester/peel.creds');
  });

  it('of doctor contains no name of a stream, a consumer or a user unquoted', () => {
    const name = 'x$(id)';
    const consumer = { name, durable: true, acknowledges: true };
    const found = [
      ...judgeStreams(
        [
          { name, subjects: ['zester.>'], sources: [], transforms: [], consumers: [] },
          { name: AUDIT_STREAM, subjects: [], sources: [], transforms: [], consumers: [consumer] },
        ],
        { inboxes: [] },
      ),
      ...judgeUsers(
        [
          {
            name,
            publicKey: name,
            jwt: undefined,
            server: 'N1',
            cid: 1,
            serverName: undefined,
            host: '',
            since: '',
          },
        ],
        () => undefined,
      ),
    ];
    const fixes = found.flatMap(({ fix }) => (fix?.includes('$(') === true ? [fix] : []));
    expect(fixes).toHaveLength(3);
    for (const fix of fixes) expect(fix.replaceAll(`'${name}'`, '')).not.toContain('$(');
  });
});
