// `zester join-token create`: create a join token, a credential that can only request to join.
import { UsageError } from '../../../errors.js';
import type { CliIo } from '../../terminal/io.js';
import { command } from '../../command/declaration.js';
import { count, flag, lifetime, option, text } from '../../command/option.js';
import { tokenDocument } from '../../fleet/token-document.js';
import { refuseToReplace } from '../../options/new-file.js';
import { table } from '../../terminal/output.js';
import { labelsOption } from '../../options/label-options.js';
import { labelText } from '../../../protocol/records/labels.js';
import { peelPattern } from '../../options/peel-pattern.js';
import { timeWordsAndDate } from '../../terminal/time-words.js';

export default command({
  summary: 'create a join token, a credential that can only request to join',
  needs: 'fleet',
  options: {
    ttl: lifetime('--ttl <time>', 'token lifetime, such as 15m, 24h or a date', '15m'),
    uses: count('--uses <n>', 'number of peels that may join with it', { min: 1, max: 1_000_000 }, '1'),
    ids: option('--ids <pattern>', "only peels whose ID matches, such as 'web-*'", peelPattern),
    label: labelsOption('label for the peels that join with it, e.g. env=prod; repeatable'),
    out: text(
      '-o, --out <file>',
      'the file to write, mode 0600, or - for a pipe (default: join-<token>.creds)',
    ),
    force: flag('--force', 'replace an existing file'),
  },
  notes: `
Copy the file to the new host, and run there: zester peel join --token FILE --id ID. The token's key is generated here;
its seed exists only in the file.`,
  examples: [
    'zester join-token create',
    "zester join-token create --ttl 1h --uses 10 --ids 'web-*' --out web.join.creds",
    'zester join-token create --uses 40 --label env=prod --label zone=eu-1',
    "zester join-token create --out - | ssh web-07 'umask 077; cat > join.creds'",
  ],
  async run({ ttl, uses, ids, label: labels, out, force }, { io, output, fleet }) {
    const toPipe = out === '-';
    if (toPipe) refuseTerminal(io, output.json);
    if (!toPipe && out !== undefined) await refuseToReplace(out, force);
    const { tokens } = (await fleet()).fleet;
    const { token, creds } = await tokens.create({ ttlSeconds: ttl, uses, ids, labels });
    try {
      if (toPipe) {
        if (io.stdout.send !== undefined) await io.stdout.send(creds);
        else io.stdout.write(Buffer.from(creds).toString('latin1'));
        return;
      }
      const path = out ?? `join-${token.id}.creds`;
      const { writeSecretFile } = await import('../../../files/write-secret-file.js');
      await writeSecretFile(path, creds, { ifAbsent: force !== true });
      const peels = `${token.uses === 1 ? 'one peel' : `${token.uses} peels`}${token.ids === undefined ? '' : ` that ${token.uses === 1 ? 'matches' : 'match'} ${token.ids}`}`;
      output.result(
        [
          `wrote ${path}`,
          ...table([
            ['token', token.id],
            ['uses', peels],
            ...(token.labels === undefined ? [] : [['labels', labelText(token.labels)] as const]),
            ['expires', timeWordsAndDate(Date.parse(token.expiresAt), io.now())],
          ]),
        ],
        { path, ...tokenDocument(token, io.now()) },
      );
      output.note(`${path} holds a seed (mode 0600); on the host: zester peel join --token FILE --id ID`);
    } finally {
      creds.fill(0);
    }
  },
});

function refuseTerminal(io: CliIo, json: boolean): void {
  if (io.stdout.isTTY) {
    throw new UsageError(
      'a join token is a secret, and standard output is a terminal: pass a file to --out, or use a pipe',
    );
  }
  if (json) throw new UsageError('--json and --out - cannot be combined: --out - writes the token itself');
}
