import { execFile, spawnSync } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/cli/config/load.js';
import { DEFAULT_REPLICAS } from '../../src/master/store/replicas.js';
import { definitionOf, settingsOf } from '../../src/cli/config/settings.js';
import { processIo } from '../../src/cli/terminal/io.js';
import { createProgram } from '../../src/cli/program.js';
import { tempDir } from '../support/temp-dir.js';

const folder = fileURLToPath(new URL('../../packaging/', import.meta.url));
const text = (name: string) => readFile(join(folder, name), 'utf8');
/** Variables that are not settings: those of Zester and of Node.js. */
const OTHER_VARIABLES = ['ZESTER_CONFIG', 'ZESTER_NATS_SERVER', 'NODE_EXTRA_CA_CERTS'];
const variables = new Set([
  ...OTHER_VARIABLES,
  ...[...settingsOf('master'), ...settingsOf('peel')].map((name) => definitionOf(name).env),
]);

/** The words and flags of each `zester …` command in a text. */
function commandsIn(content: string): { words: string[]; flags: string[]; line: string }[] {
  return [...content.matchAll(/(?:^|[\s`"])zester ((?:[a-z][a-z-]*(?: |$|(?=[`"])))+)([^\n`"#]*)/gm)].map(
    (match) => ({
      line: match[0].trim(),
      words: (match[1] ?? '').trim().split(' '),
      flags: [...(match[2] ?? '').matchAll(/(?<=^|\s)--[a-z-]+/g)].map(([flag]) => flag),
    }),
  );
}

const program = await createProgram(processIo());

/** The command that words name, and whether all of them do. */
function find(words: readonly string[]): Command {
  let at: Command = program;
  for (const word of words) at = at.commands.find((sub) => sub.name() === word) ?? at;
  return at;
}

describe.each([
  'zester-up.service',
  'zester-master.service',
  'zester-peel@.service',
  'README.md',
  'master.yaml',
  'peel.env',
])('packaging/%s', (name) => {
  it('names only existing commands, flags and variables', async () => {
    const content = await text(name);
    if (!/\.env$/.test(name)) expect(commandsIn(content)).not.toEqual([]);
    for (const { words, flags, line } of commandsIn(content)) {
      const command = find(words);
      expect(command.name(), line).not.toBe('zester');
      const known = ['--json', '--help', ...command.options.map(({ long }) => long)];
      for (const flag of flags) expect(known, line).toContain(flag);
    }
    for (const [variable] of content.matchAll(/\b(?:ZESTER|NODE)_[A-Z_]+\b/g)) {
      expect(variables).toContain(variable);
    }
  });
});

describe('the systemd units', () => {
  it.for([
    ['zester-up.service', 'zester-up.service'],
    ['zester-master.service', 'zester-master.service'],
    ['zester-peel@.service', 'zester-peel@web-01.service'],
  ] as const)('%s is valid for systemd', async ([name, installed], { skip }) => {
    if (spawnSync('systemd-analyze', ['--version']).status !== 0) {
      return skip('there is no systemd-analyze');
    }
    const path = join(await tempDir(), installed);
    await copyFile(join(folder, name), path);
    const { stdout, stderr } = await promisify(execFile)('systemd-analyze', ['verify', path]);
    expect(stdout + stderr).not.toContain(installed);
  });

  it.each(['zester-master.service', 'zester-peel@.service'])('%s keeps its program in', async (name) => {
    const unit = await text(name);
    for (const line of [
      'NoNewPrivileges=yes',
      'ProtectSystem=strict',
      'CapabilityBoundingSet=',
      'UMask=0077',
    ]) {
      expect(unit.split('\n')).toContain(line);
    }
  });

  it('a peel that a master has ended is not started again, and everything else is', async () => {
    const unit = await text('zester-peel@.service');
    expect(unit).toMatch(/^Restart=always$/m);
    expect(unit).toMatch(/^RestartPreventExitStatus=2 3$/m);
  });
});

describe('packaging/master.yaml', () => {
  it('is a valid configuration of a master', async () => {
    const { values } = await loadConfig(
      'master',
      { config: join(folder, 'master.yaml') },
      { ...processIo(), env: {} },
    );
    expect(values).toMatchObject({
      servers: ['nats://127.0.0.1:4222'],
      http: { host: '127.0.0.1', port: 9464 },
    });
  });

  it('names every setting, and gives the defaults of commented ones', async () => {
    const lines = (await text('master.yaml')).split('\n');
    const commented = lines.flatMap((line) => /^# ([a-zA-Z]+: \S+)$/.exec(line)?.[1] ?? []);
    const settings = parse(commented.join('\n')) as Record<string, unknown>;
    const config = join(await tempDir(), 'master.yaml');
    await writeFile(config, commented.join('\n'));
    const { values } = await loadConfig('master', { config }, { ...processIo(), env: {} });
    expect(values.replicas).toBe(DEFAULT_REPLICAS.clustered);
    for (const name of settingsOf('master')) {
      const { fallback } = definitionOf(name);
      if (fallback !== undefined)
        expect([name, values[name as keyof typeof values]]).toEqual([name, fallback]);
    }
    const there = new Set([...Object.keys(settings), ...lines.map((line) => line.split(':')[0])]);
    // of "zester up" alone
    for (const name of settingsOf('master'))
      if (name !== 'host' && name !== 'port') expect(there).toContain(name);
  });
});
