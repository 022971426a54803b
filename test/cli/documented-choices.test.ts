import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { describe, expect, it } from 'vitest';
import resume from '../../src/cli/commands/master/resume.js';
import list from '../../src/cli/commands/peel/list.js';
import { LOG_LEVELS, SETTINGS, type SettingName } from '../../src/cli/config/settings.js';
import { PEEL_COLUMNS } from '../../src/cli/fleet/peel-columns.js';
import {
  DEFAULT_LIFETIME_SECONDS,
  DEFAULT_POLICY,
  DEFAULT_RECOVERY_LIMIT,
  DEFAULT_RECOVERY_SECONDS,
} from '../../src/master/default-options.js';
import { POLICIES } from '../../src/master/requests/policy.js';
import { DEFAULT_BREAKER_LIMITS } from '../../src/master/revocation/breaker.js';
import { DEFAULT_REPLICAS } from '../../src/master/store/replicas.js';
import { BUILT_IN_HANDLERS } from '../../src/peel/built-in-handlers.js';
import { ADDED_ROLES, ADMIN_ROLES } from '../../src/permissions/admin-roles.js';
import { ROW_FORMATS } from '../../src/provision/rows.js';
import { OWN_CREDENTIALS_LIFETIME_SECONDS } from '../../src/timing.js';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const filesIn = (folder: string, endings: readonly string[]) =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((path) => endings.includes(extname(path)))
    .map((path) => `${folder}/${path}`);

/** Words that a text lists together: all of them, or one of the other lists. With fewer than `least`, it is not a list. */
interface Choices {
  of: readonly string[];
  or?: readonly string[];
  least: number;
}
const CHOICES: Readonly<Record<string, Choices>> = {
  policies: { of: POLICIES, least: 2 },
  'built-in handlers': { of: Object.keys(BUILT_IN_HANDLERS), least: 2 },
  roles: { of: ADMIN_ROLES, or: ADDED_ROLES, least: 3 },
  'log levels': { of: LOG_LEVELS, least: 3 },
  'formats of a list of peels': { of: ROW_FORMATS, least: 2 },
};

/** What a user reads, and the comments of the sources. What explains older versions may list what those had. */
const texts = new Map(
  [
    'README.md',
    'SECURITY.md',
    ...filesIn('docs', ['.md']).filter((path) => path !== 'docs/upgrading.md'),
    ...filesIn('packaging', ['.md', '.yaml', '.env', '.service']),
    ...filesIn('examples', ['.ts', '.sh', '.py']),
    ...filesIn('src', ['.ts', '.tsx']),
  ].map((path) => {
    const text = read(path);
    const comments = [...text.matchAll(/\/\*\*[^]*?\*\/|^\s*\/\/.*/gm)].join('\n');
    return [path, path.startsWith('src/') ? comments : text];
  }),
);

/** The lists of at least two of these words in a text, such as "`a`, b (the default) or c". */
function listsIn(text: string, words: readonly string[]): string[][] {
  const word = `(?<![\\w.-])[\`"'*.]{0,2}(?:${words.join('|')})[\`"'*]{0,2}(?![\\w-])`;
  const between = '(?:\\s*[,|]\\s*(?:or |and )?|\\s+(?:or|and)\\s+)';
  const plain = text.replace(/\n\s*(?:#|\/\/|\*) ?/g, ' ').replace(/\s*\([^()]*\)/g, '');
  const found = plain.matchAll(new RegExp(`${word}(?:${between}${word})+`, 'g'));
  return [...found].map(([one]) =>
    words.filter((each) => new RegExp(`(?<![\\w-])${each}(?![\\w-])`).test(one)),
  );
}

describe('a list in the documentation', () => {
  it.each(Object.entries(CHOICES))('of %s names all of them', (_what, { of, or = of, least }) => {
    const lists = [...texts].flatMap(([path, text]) =>
      listsIn(text, of)
        .filter((words) => words.length >= least)
        .map((words) => ({ path, words: words.join(', ') })),
    );
    expect(lists).not.toEqual([]);
    const whole = [of.join(', '), or.join(', ')];
    expect(lists.filter(({ words }) => !whole.includes(words))).toEqual([]);
  });

  it('of columns in the help of peel list is complete', () => {
    const [, listed = ''] = /^Columns: ([^.]*)\./m.exec(list.notes ?? '') ?? [];
    expect(listed.split(/,\s+/)).toEqual(Object.keys(PEEL_COLUMNS));
  });

  it('of policies in docs/fleet.md explains each one, and the default', () => {
    const [, items = ''] =
      /about peels that no admin issued:\n\n((?:[- ] .*\n)+)/.exec(read('docs/fleet.md')) ?? [];
    const explained = [...items.matchAll(/^- `(\S+)`(.*)/gm)].map(([, name, rest = '']) => [
      name,
      rest.startsWith(' (the default)'),
    ]);
    expect(explained).toEqual(POLICIES.map((policy) => [policy, policy === DEFAULT_POLICY]));
  });

  it('of policies in the comment of their type explains each one', () => {
    const [, comment = ''] =
      /\/\*\*((?:(?!\*\/)[^])*)\*\/\nexport type AcceptancePolicy /.exec(
        read('src/master/requests/policy.ts'),
      ) ?? [];
    const explained = [...comment.matchAll(/^ \* - `(\S+)`: \S/gm)].map(([, name]) => name);
    expect(explained).toEqual(POLICIES);
  });
});

/** The settings of a master alone that have a default. */
type DefaultSetting = {
  [Name in SettingName]: (typeof SETTINGS)[Name] extends { kinds: readonly ['master']; fallback: unknown }
    ? Name
    : never;
}[SettingName];
/** The default of the option of each. A new setting needs its row here to compile. */
const DEFAULTS: Record<DefaultSetting, unknown> = {
  policy: DEFAULT_POLICY,
  lifetime: DEFAULT_LIFETIME_SECONDS,
  recovery: DEFAULT_RECOVERY_SECONDS,
  recoveryLimit: DEFAULT_RECOVERY_LIMIT,
  maxRevocations: DEFAULT_BREAKER_LIMITS.peels,
  maxRevocationsShare: DEFAULT_BREAKER_LIMITS.share,
};

describe('the defaults of a master', () => {
  it('are the same in its settings and its options', () => {
    const names = Object.keys(DEFAULTS) as DefaultSetting[];
    expect(Object.fromEntries(names.map((name) => [name, SETTINGS[name].fallback]))).toEqual(DEFAULTS);
  });

  const english = (value: number) => value.toLocaleString('en');
  const days = DEFAULT_RECOVERY_SECONDS / 86_400;
  const { peels, share, windowMs } = DEFAULT_BREAKER_LIMITS;
  const limits = `more than ${peels} healthy peels, and more than ${share * 100} % of them, within a minute`;

  it.each([
    `(${DEFAULT_LIFETIME_SECONDS / 3_600} h by default)`,
    `| \`${days}d\` (the default) | recover by itself for ${days} days after the expiry |`,
    `that has recovered \`--recovery-limit\` times (${DEFAULT_RECOVERY_LIMIT}) within 30 days`,
    `the registry has ${DEFAULT_REPLICAS.clustered} replicas`,
    limits,
  ])('are in docs/fleet.md: %s', (text) => {
    expect(read('docs/fleet.md').includes(text)).toBe(true);
  });

  it.each([
    `accepted; \`${DEFAULT_POLICY}\` by default`,
    `JWTs, in seconds; ${english(DEFAULT_LIFETIME_SECONDS)} by default`,
    `in seconds; ${english(DEFAULT_RECOVERY_SECONDS)} (${days} days) by default`,
    `within 30 days; ${DEFAULT_RECOVERY_LIMIT} by default`,
    `resumes; ${peels}, ${share} and ${english(windowMs)} by default`,
    `in a cluster; ${DEFAULT_REPLICAS.clustered} by default`,
  ])('are in its options: %s', (text) => {
    expect((texts.get('src/master/master.ts') ?? '').replace(/\s+\*\s+/g, ' ').includes(text)).toBe(true);
  });

  it('of the lifetime of its own credentials are in docs/fleet.md', () => {
    expect(
      read('docs/fleet.md').includes(`are valid for ${OWN_CREDENTIALS_LIFETIME_SECONDS / 86_400} days`),
    ).toBe(true);
  });

  it('are in the help of master resume', () => {
    expect(resume.notes?.replace(/\s+/g, ' ')).toContain(
      `by default more than ${peels} and more than ${share * 100} % within a minute`,
    );
  });
});
