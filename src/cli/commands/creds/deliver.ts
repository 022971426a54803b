// `zester creds deliver`: issue credentials for a list of peels, over ssh.
import type { PeelRow } from '../../../provision/rows.js';
import { UsageError } from '../../../errors.js';
import { issueListed, LIST_OPTIONS, PROGRAM_OPTIONS, programLimits } from '../../bulk/issue-listed.js';
import { command } from '../../command/declaration.js';
import { flag, requiredText, words } from '../../command/option.js';

export default command({
  summary: 'issue credentials for a list of peels, and copy them by ssh',
  needs: 'home',
  arguments: { sshArguments: words('additional ssh arguments, after --') },
  options: {
    ssh: flag('--ssh', 'deliver by ssh (required)'),
    path: requiredText('--path <file>', 'absolute path on the host; {id} is the peel ID'),
    ...LIST_OPTIONS,
    ...PROGRAM_OPTIONS,
  },
  notes: `
The host is the list's column "host" (CSV or NDJSON), else the ID. The file on the host is replaced atomically: a new file in
the same directory, mode 0600, is written, synced and renamed. The directory must exist; the ssh user owns the file. ssh does
not prompt (BatchMode): set up keys and known hosts first.`,
  examples: [
    'zester creds deliver --ssh --from hosts.csv --path /etc/zester/peel.creds --expiry 30d',
    'zester creds deliver --ssh --from hosts.csv --path /etc/zester/{id}.creds --journal done.txt -- -l root -p 2222',
  ],
  async run(input, context) {
    const { io, output } = context;
    const { ssh, path, resume, journal, sshArguments } = input;
    if (!ssh) throw new UsageError('no delivery method: pass --ssh');
    if (resume && journal === undefined) {
      throw new UsageError('--resume needs the --journal of the interrupted run');
    }
    const { isHost, sshSink } = await import('../../../provision/sinks/ssh.js');
    const { eachDelivery } = await import('../../../provision/sinks/each.js');
    const how = {
      delivery: async (signal: AbortSignal, rows: ReadonlyMap<string, PeelRow>) => {
        const hostOf = (peelId: string) => rows.get(peelId)?.host ?? peelId;
        const options = { ...programLimits(input), path, sshArguments, hostOf, env: io.env, signal };
        return eachDelivery(sshSink(options), signal);
      },
      checkRow: ({ host }: PeelRow) =>
        host === undefined || isHost(host) ? undefined : 'its host is not a valid host name or address',
      show: (result: object, summary: string) => output.result([summary], { path, ...result }),
    };
    await issueListed(input, how, context);
  },
});
