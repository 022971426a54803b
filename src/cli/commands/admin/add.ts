// `zester admin add`: write credentials of a new admin with a role.
import { ADDED_ROLES } from '../../../permissions/admin-roles.js';
import { UsageError } from '../../../errors.js';
import { command } from '../../command/declaration.js';
import { argument, choice, flag, lifetimeOrNever, requiredText, seedFile } from '../../command/option.js';
import { refuseToReplace } from '../../options/new-file.js';
import { table } from '../../terminal/output.js';
import { timeWordsAndDate } from '../../terminal/time-words.js';

export default command({
  summary: 'add an admin with a role, and write its credentials',
  needs: 'system',
  arguments: { name: argument("the admin's name: lower-case letters, digits and hyphens") },
  options: {
    role: choice('--role <role>', "the admin's role", ADDED_ROLES),
    expiry: lifetimeOrNever(
      '--expiry <time>',
      'credential lifetime, e.g. 8h; 0 or none = never expires',
      '30d',
    ),
    out: requiredText('-o, --out <file>', 'the file to write, mode 0600'),
    accountSeed: seedFile('--account-seed <file>', "the account's identity seed, if it is offline"),
    force: flag('--force', 'replace an existing file'),
  },
  notes: `
A viewer reads peels, join tokens and the audit log. An approver also accepts and rejects pending peels, and creates and
removes join tokens. An operator also adds, labels, rotates, revokes and calls peels. The owner uses the "admin.creds" of
"zester init". See docs/admins.md for the table of roles and requests. Servers and masters both enforce it, and no admin
can read another's answers.`,
  examples: [
    'zester admin add alice --role approver --out alice.creds',
    'zester admin add night-shift --role viewer --expiry 8h --out night-shift.creds',
  ],
  async run({ name, role, expiry, out, accountSeed, force }, { io, output, system }) {
    if (role === undefined) throw new UsageError(`no role: pass --role, one of ${ADDED_ROLES.join(', ')}`);
    await refuseToReplace(out, force);
    const { home, ...options } = await system();
    const { addAdmin } = await import('../../../admins/add-admin.js');
    const { admin, audited } = await addAdmin(home, out, {
      ...options,
      name,
      role,
      expiry,
      accountSeed,
      force,
      now: io.now,
    });
    const { publicKey, expiresAt } = admin;
    output.result(
      [
        `wrote ${out}`,
        ...table([
          ['admin', name],
          ['role', role],
          ['key', output.key(publicKey)],
          ['expires', expiresAt === undefined ? 'never' : timeWordsAndDate(expiresAt * 1000, io.now())],
        ]),
      ],
      {
        path: out,
        name,
        role,
        publicKey,
        expiresAt: expiresAt === undefined ? null : new Date(expiresAt * 1000).toISOString(),
      },
    );
    if (!audited) output.note('not audited: no master has run on these servers yet');
  },
});
