// `zester permissions set`: change what every peel may do, at once.
import { UsageError } from '../../../errors.js';
import type { PermissionOptions } from '../../../jwt/permission-options.js';
import type { editPermissions as editPermissionsOf, TemplateEdit } from '../../../trust/template.js';
import { pushedLine } from '../../options/change-options.js';
import { command } from '../../command/declaration.js';
import { flag, list, text } from '../../command/option.js';
import { confirm } from '../../terminal/confirm.js';
import { permissionLines } from '../../terminal/permission-lines.js';

export default command({
  summary: 'change the permissions of all peels at once',
  needs: 'change',
  options: {
    allowPublish: list('--allow-publish <subject...>', 'allow peels to publish here; {{name()}} is their ID'),
    allowSubscribe: list('--allow-subscribe <subject...>', 'allow peels to subscribe here'),
    denyPublish: list('--deny-publish <subject...>', 'deny publishing here; overrides allow'),
    denySubscribe: list('--deny-subscribe <subject...>', 'deny subscribing here; overrides allow'),
    removePublish: list('--remove-publish <subject...>', 'remove from the publish lists'),
    removeSubscribe: list('--remove-subscribe <subject...>', 'remove from the subscribe lists'),
    from: text('--from <file>', 'replace all with the output of "permissions show --json"'),
    default: flag('--default', 'replace all with the defaults of "zester init"'),
    yes: flag('-y, --yes', 'skip the confirmation'),
  },
  notes: `
No peel needs a new credential. Connected peels reconnect once, with the new permissions. Check the result with
"zester permissions lint".`,
  examples: [
    "zester permissions set --allow-publish 'zester.metrics.{{name()}}'",
    "zester permissions set --remove-publish 'zester.event.{{name()}}.>' --yes",
    'zester permissions set --from template.json --no-push',
  ],
  async run(input, { io, output, change }) {
    const { from, default: byDefault, yes } = input;
    const edits = editsOf(input);
    if (from !== undefined && byDefault) throw new UsageError('--from and --default cannot be combined');
    const whole = from !== undefined || byDefault;
    if (edits.length === 0 && !whole)
      throw new UsageError('nothing to change: pass --allow-publish or another option, --from, or --default');
    const start = whole ? await startOf(from) : undefined;
    const { home, ...rest } = await change();
    await confirm(io, 'this changes the permissions of every peel, and drops each connection once', yes);
    const { editPermissions, parseTemplate } = await import('../../../trust/template.js');
    const { setPeelTemplate } = await import('../../../account/permissions.js');
    const { requireComplete } = await import('../../../account/push-account.js');
    const given = start === undefined ? undefined : parseTemplate(home, start);
    const { before, after, report } = await setPeelTemplate(
      home,
      (permissions) => editWith(home, permissions, given, edits, editPermissions),
      { ...rest, defaultLimits: byDefault },
    );
    output.result([...permissionLines(after, before), pushedLine(report)], {
      before,
      after,
      servers: report ?? null,
    });
    if (report !== undefined) requireComplete(report, 'the template');
  },
});

type Edit = typeof editPermissionsOf;

/** Removes a subject from the allow or deny list that has it. */
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

/** The lists of the command line. */
type Lists = Readonly<
  Record<
    'allowPublish' | 'allowSubscribe' | 'denyPublish' | 'denySubscribe' | 'removePublish' | 'removeSubscribe',
    string[] | undefined
  >
>;

function editsOf(lists: Lists): TemplateEdit[] {
  const add = (what: TemplateEdit['what'], list: TemplateEdit['list'], subjects: string[] = []) =>
    subjects.map((subject): TemplateEdit => ({ what, list, subject }));
  const remove = (what: TemplateEdit['what'], subjects: string[] = []) =>
    subjects.map((subject): TemplateEdit => ({ what, list: 'allow', subject, remove: true }));
  return [
    ...add('publish', 'allow', lists.allowPublish),
    ...add('subscribe', 'allow', lists.allowSubscribe),
    ...add('publish', 'deny', lists.denyPublish),
    ...add('subscribe', 'deny', lists.denySubscribe),
    ...remove('publish', lists.removePublish),
    ...remove('subscribe', lists.removeSubscribe),
  ];
}

async function startOf(from: string | undefined): Promise<unknown> {
  if (from === undefined) {
    const { peelPermissionsTemplate } = await import('../../../permissions/roles.js');
    return peelPermissionsTemplate();
  }
  const { parseStrictJson } = await import('../../../jwt/strict-json.js');
  const { readSmallFile } = await import('../../../files/read-small-file.js');
  const content = await readSmallFile(from, 256 * 1024);
  try {
    return parseStrictJson(content);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError(
      `${from} cannot be used, it ${cause.message}: pass the output of "zester permissions show --json"`,
      { cause },
    );
  }
}
