// `zester backup`: write the complete state of a fleet into one encrypted file.
import { UsageError } from '../../../errors.js';
import { command } from '../../command/declaration.js';
import { flag, repeated, text } from '../../command/option.js';
import { countsLine } from '../../backup/counts-line.js';
import { ageRecipients } from '../../options/age-recipients.js';
import { refuseToReplace } from '../../options/new-file.js';

export default command({
  summary: 'back up the home, the registry, join tokens and the audit log',
  section: 'Other',
  needs: 'system',
  options: {
    // not a required option, since `backup verify` would inherit it
    out: text('-o, --out <file>', 'the file to write'),
    recipient: repeated('-r, --recipient <age1…>', 'age recipient who can restore the backup; repeatable'),
    force: flag('--force', 'replace an existing file'),
  },
  notes: `
The file is encrypted with age as it is written, and holds one consistent state: the home with all its seeds, the
account JWTs of the servers, the registry, the join tokens and the audit log. The fleet keeps running. Not included are
the data of a nats-server in the home, and age files there, such as earlier backups. Keep the identity (from
"age-keygen") away from the home: both together give full control of the fleet.`,
  examples: [
    'zester backup --out fleet-$(date +%F).age -r age1…',
    ['zester backup verify fleet.age -i key.txt', 'check it'],
    ['zester restore fleet.age -i key.txt', 'restore it'],
  ],
  async run({ out, recipient, force }, { io, output, system, openHome }) {
    if (out === undefined) throw new UsageError('no file to write: pass --out FILE');
    const recipients = ageRecipients(recipient);
    await refuseToReplace(out, force);
    const { home, ...options } = await system();
    const { createBackup } = await import('../../../backup/create-backup.js');
    const { Progress } = await import('../../bulk/progress.js');
    const progress = new Progress(io, output.quiet, 'read');
    const skipped: string[] = [];
    try {
      const summary = await createBackup(home, out, {
        ...options,
        recipients,
        onSkipped: (path) => skipped.push(path),
        onProgress: (count) => {
          progress.done += count;
          progress.update();
        },
      });
      progress.clear();
      for (const path of skipped)
        output.warn(`${path} is not in the backup: it is a link, an age file, or not one of Zester's files`);
      output.result([`${out}: ${countsLine(summary)}`], { path: out, ...summary, skipped });
      const { auditDone } = await import('../../../backup/audit-command.js');
      const detail = { peels: summary.peels, events: summary.events };
      await auditDone(await openHome(), options, { kind: 'backup.created', by: 'zester backup', detail });
    } finally {
      progress.clear();
    }
  },
});
