// `zester backup verify`: check a backup without restoring it.
import { argument, requiredText } from '../../command/option.js';
import { command } from '../../command/declaration.js';
import { countsLine } from '../../backup/counts-line.js';

export default command({
  summary: 'check a backup without restoring it',
  arguments: { file: argument('the backup') },
  options: { identity: requiredText('-i, --identity <file>', 'the age identity file (AGE-SECRET-KEY-…)') },
  notes: `
Checks that the backup is complete and unchanged, that a master of its account signed it, that its home can be opened,
and that its records follow from its audit log. Writes nothing, and needs no server.`,
  examples: ['zester backup verify fleet.age -i key.txt'],
  async run({ file, identity }, { io, output }) {
    const { readIdentities } = await import('../../../backup/age-identities.js');
    const { verifyBackup } = await import('../../../backup/verify-backup.js');
    const { Progress } = await import('../../bulk/progress.js');
    const progress = new Progress(io, output.quiet, 'bytes read');
    const identities = await readIdentities(identity);
    try {
      const { header, summary, unexplained } = await verifyBackup(file, identities, (read, size) =>
        progress.reach(read, read / size),
      );
      progress.clear();
      for (const { peelId, why } of unexplained.slice(0, 20)) output.warn(`${peelId}: ${why}`);
      const { operator, account, createdAt, zester } = header;
      output.result(
        [
          `${file} is complete: operator "${operator.name}", account "${account.name}", made ${createdAt} by zester ${zester}`,
          countsLine(summary),
          ...(unexplained.length === 0
            ? []
            : [
                `${unexplained.length} records do not follow from its audit log; they were like that in the fleet`,
              ]),
        ],
        { path: file, ...header, ...summary, unexplained },
      );
    } finally {
      progress.clear();
    }
  },
});
