// `zester config show`: show each setting of a master or a peel, its value, and its source.
import { command } from '../../command/declaration.js';
import { choice, text } from '../../command/option.js';
import { loadConfig, type ConfigFlags } from '../../config/load.js';
import { CONFIG_KINDS, definitionOf, settingsOf } from '../../config/settings.js';

export default command({
  summary: 'show the settings of a master or a peel, and their sources',
  options: {
    for: choice('--for <program>', 'whose settings', CONFIG_KINDS, 'master'),
    config: text('--config <file>', 'configuration file (default: the one that the program finds)'),
    home: text('--home <dir>', "the master's trust domain"),
  },
  notes: `
Flags override the environment, the environment overrides the file, and the file overrides the defaults.`,
  examples: [
    'zester config show',
    'ZESTER_POLICY=auto-trusted zester config show --config /etc/zester/master.yaml',
    'zester config show --for peel --json',
  ],
  async run({ for: program, config, home }, { io, output }) {
    const flags: ConfigFlags = {
      ...(config !== undefined && { config }),
      ...(home !== undefined && program === 'master' && { home }),
    };
    const { values, sources, file } = await loadConfig(program, flags, io);
    const shown = settingsOf(program).map((name) => {
      const { flag, env, about, otherwise } = definitionOf(name);
      const { kind = 'default', name: source = '' } = sources[name] ?? {};
      return { name, value: values[name] ?? null, from: kind, source, flag, env, about, otherwise };
    });
    output.result(
      output.columns(shown, [
        ['SETTING', ({ name }) => name],
        ['VALUE', ({ value, otherwise = 'not set' }) => (value === null ? `(${otherwise})` : words(value))],
        ['FROM', ({ from, source }) => (from === 'default' ? 'default' : `${from} ${source}`)],
      ]),
      {
        for: program,
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
  },
});

function words(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value === 'object' && value !== null && 'host' in value && 'port' in value) {
    return `${String(value.host)}:${String(value.port)}`;
  }
  return String(value);
}
