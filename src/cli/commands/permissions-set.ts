import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import type { PermissionOptions } from '../../jwt/permission-options.js';
import type { editPermissions as editPermissionsOf, TemplateEdit } from '../../trust/template.js';
import {
  changeOptions,
  pushedLine,
  withChangeOptions,
  type AccountChangeOptions,
} from '../change-options.js';
import { confirm } from '../confirm.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { permissionLines } from '../permission-lines.js';

interface Options extends GlobalOptions, AccountChangeOptions {
  allowPublish?: string[];
  allowSubscribe?: string[];
  denyPublish?: string[];
  denySubscribe?: string[];
  removePublish?: string[];
  removeSubscribe?: string[];
  from?: string;
  default?: boolean;
  yes?: boolean;
}

/** `zester permissions set`. */
export function registerPermissionsSet(parent: Command, io: CliIo): void {
  withChangeOptions(parent.command('set'))
    .description('change what every peel may do, in force at once and without a new credential')
    .option('--allow-publish <subject...>', 'let peels publish to these; {{name()}} is the id of the peel')
    .option('--allow-subscribe <subject...>', 'let peels subscribe to these')
    .option('--deny-publish <subject...>', 'do not let them, whatever is allowed')
    .option('--deny-subscribe <subject...>', 'do not let them, whatever is allowed')
    .option('--remove-publish <subject...>', 'take these out of the lists to publish')
    .option('--remove-subscribe <subject...>', 'take these out of the lists to subscribe')
    .option('--from <file>', 'all of it from a file, as "permissions show --json" prints it')
    .option('--default', 'all of it as "zester init" sets it')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `
Peels that are connected lose their connection for an instant and come back with the new permissions.
"zester permissions lint" checks what was set.

Examples:
  $ zester permissions set --allow-publish 'zester.metrics.{{name()}}'
  $ zester permissions set --remove-subscribe 'zester.job.*.cancel' --yes
  $ zester permissions set --from template.json --no-push`,
    )
    .action(async (_options, command: Command) => {
      await run(command.optsWithGlobals<Options>(), io);
    });
}

async function run(options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const whole = options.from !== undefined || options.default === true;
  const edits = editsOf(options);
  if (edits.length === 0 && !whole)
    throw new UsageError('say what to change: --allow-publish and so on, --from or --default');
  if (options.from !== undefined && options.default === true)
    throw new UsageError('give one of --from and --default');
  const start = whole ? await startOf(options) : undefined;
  const { home, ...rest } = await changeOptions(options, io, output);
  await confirm(io, 'this changes what every peel may do, and drops their connections once', options.yes);
  const { editPermissions, parseTemplate } = await import('../../trust/template.js');
  const { setPeelTemplate } = await import('../../nats-server/permissions.js');
  const { requireComplete } = await import('../../nats-server/push-account.js');
  const given = start === undefined ? undefined : parseTemplate(home, start);
  const { before, after, report } = await setPeelTemplate(
    home,
    (permissions) => editWith(home, permissions, given, edits, editPermissions),
    { ...rest, defaultLimits: options.default === true },
  );
  output.result([...permissionLines(after, before), pushedLine(report)], {
    before,
    after,
    servers: report ?? null,
  });
  if (report !== undefined) requireComplete(report, 'the template');
}

type Edit = typeof editPermissionsOf;

/** A removal is from whichever of the two lists has the subject. */
function editWith(
  home: string,
  permissions: PermissionOptions,
  given: PermissionOptions | undefined,
  edits: readonly TemplateEdit[],
  edit: Edit,
): PermissionOptions {
  return edits.reduce((all, one) => {
    const denied = one.remove === true && all[one.what]?.deny?.includes(one.subject) === true;
    return edit(home, all, [denied ? { ...one, list: 'deny' } : one]);
  }, given ?? permissions);
}

function editsOf(options: Options): TemplateEdit[] {
  const add = (what: TemplateEdit['what'], list: TemplateEdit['list'], subjects: string[] = []) =>
    subjects.map((subject): TemplateEdit => ({ what, list, subject }));
  const remove = (what: TemplateEdit['what'], subjects: string[] = []) =>
    subjects.map((subject): TemplateEdit => ({ what, list: 'allow', subject, remove: true }));
  return [
    ...add('publish', 'allow', options.allowPublish),
    ...add('subscribe', 'allow', options.allowSubscribe),
    ...add('publish', 'deny', options.denyPublish),
    ...add('subscribe', 'deny', options.denySubscribe),
    ...remove('publish', options.removePublish),
    ...remove('subscribe', options.removeSubscribe),
  ];
}

async function startOf(options: Options): Promise<unknown> {
  if (options.from === undefined) {
    const { peelPermissionsTemplate } = await import('../../permissions/roles.js');
    return peelPermissionsTemplate();
  }
  const { parseStrictJson } = await import('../../jwt/strict-json.js');
  const { readSmallFile } = await import('../../files/read-small-file.js');
  const content = await readSmallFile(options.from, 256 * 1024);
  try {
    return parseStrictJson(content);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError(
      `${options.from} cannot be used, it ${cause.message}: give what "zester permissions show --json" prints`,
      { cause },
    );
  }
}
