import { Option, type Command } from 'commander';
import { columns } from '../columns.js';
import { loadConfig, type ConfigFlags } from '../config/load.js';
import { CONFIG_KINDS, definitionOf, settingsOf, type ConfigKind } from '../config/settings.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions {
  for: ConfigKind;
  config?: string;
  home?: string;
}

/** `zester config show`: what a program would run with, and why. */
export function registerConfigShow(parent: Command, io: CliIo): void {
  parent
    .command('show')
    .description('show each setting of a master or a peel, its value, and where that comes from')
    .addOption(new Option('--for <program>', 'whose settings').choices(CONFIG_KINDS).default('master'))
    .option('--config <file>', 'the configuration file (default: as the program finds it)')
    .option('--home <dir>', 'the trust domain of the master')
    .addHelpText(
      'after',
      `
A flag of the program wins over the environment, the environment over the file, the file over the default.

Examples:
  $ zester config show
  $ ZESTER_POLICY=auto-trusted zester config show --config /etc/zester/master.yaml
  $ zester config show --for peel --json`,
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const flags: ConfigFlags = {
        ...(options.config !== undefined && { config: options.config }),
        ...(options.home !== undefined && options.for === 'master' && { home: options.home }),
      };
      const { values, sources, file } = await loadConfig(options.for, flags, io);
      const shown = settingsOf(options.for).map((name) => {
        const { flag, env, about, otherwise } = definitionOf(name);
        const { kind = 'default', name: source = '' } = sources[name] ?? {};
        return { name, value: values[name] ?? null, from: kind, source, flag, env, about, otherwise };
      });
      output.result(
        [
          ...columns(
            ['SETTING', 'VALUE', 'FROM'],
            shown.map(({ name, value, from, source, otherwise = 'not set' }) => [
              name,
              value === null ? `(${otherwise})` : words(value),
              from === 'default' ? 'default' : `${from} ${source}`,
            ]),
          ),
        ],
        {
          for: options.for,
          file: file ?? null,
          settings: shown.map(({ name, value, from, source, flag, env, about }) => ({
            name,
            value,
            from,
            source: source === '' ? null : source,
            flag,
            env,
            about,
          })),
        },
      );
    });
}

function words(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value === 'object' && value !== null && 'host' in value && 'port' in value) {
    return `${String(value.host)}:${String(value.port)}`;
  }
  return String(value);
}
