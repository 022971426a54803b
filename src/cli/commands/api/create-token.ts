// `zester api create-token`: create a token for the HTTP interface.
import { ADMIN_ROLES } from '../../../permissions/admin-roles.js';
import { UsageError } from '../../../errors.js';
import { command } from '../../command/declaration.js';
import { argument, choice, flag, lifetime, text } from '../../command/option.js';
import { refuseToReplace } from '../../options/new-file.js';
import { table } from '../../terminal/output.js';
import { timeWordsAndDate } from '../../terminal/time-words.js';

export default command({
  summary: 'create a token for the HTTP interface',
  needs: 'home',
  arguments: { name: argument("the token's name, such as grafana") },
  options: {
    role: choice('--role <role>', 'role of the token', ADMIN_ROLES, 'viewer'),
    ttl: lifetime('--ttl <time>', 'token lifetime, such as 24h, 30d or a date', '30d'),
    out: text('-o, --out <file>', 'the file to write, mode 0600 (default: <name>.token)'),
    force: flag('--force', 'replace an existing file'),
  },
  notes: `
The home keeps only a digest, so a lost token cannot be shown again. "zester api" and "zester ui" accept the tokens of
their home at once. A token never permits more than the admin credential of these commands.`,
  examples: [
    'zester api create-token grafana',
    'zester api create-token deploy --role approver --ttl 90d --out /etc/deploy/zester.token',
  ],
  async run({ name, role, ttl, out = `${name}.token`, force }, { io, output, openHome }) {
    const { addApiToken, refuseSecret, TOKEN_NAME } = await import('../../api/token-store.js');
    refuseSecret(name);
    if (!TOKEN_NAME.test(name))
      throw new UsageError(
        'the name of a token has up to 64 letters, digits and "_.-", and begins with one of the first two',
      );
    const { home } = await openHome();
    await refuseToReplace(out, force);
    const { writeSecretFile } = await import('../../../files/write-secret-file.js');
    const { token } = await addApiToken(home, {
      name,
      role,
      lifetimeSeconds: ttl,
      now: io.now(),
      deliver: (secret) => writeSecretFile(out, Buffer.from(`${secret}\n`), { ifAbsent: force !== true }),
    });
    const { createdAt, expiresAt } = token;
    output.result(
      [
        `wrote ${out}`,
        ...table([
          ['role', role],
          ['expires', timeWordsAndDate(Date.parse(expiresAt), io.now())],
        ]),
      ],
      { path: out, name, role, createdAt, expiresAt },
    );
  },
});
