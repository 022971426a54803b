// `zester creds deliver`: issue credentials for a list of peels, over ssh.
import type { PeelRow } from '../../../provision/rows.js';
import { UsageError } from '../../../errors.js';
import { issueListed, LIST_OPTIONS, PROGRAM_OPTIONS, programLimits } from '../../bulk/issue-listed.js';
import { command } from '../../command/declaration.js';
import { flag, requiredText, words } from '../../command/option.js';

export default command({
  summary: 'issue credentials for a list of peels, over ssh',
  needs: 'home',
  arguments: { sshArguments: words('more arguments of ssh, after --') },
  options: {
    ssh: flag('--ssh', 'by ssh, the only way so far'),
    path: requiredText('--path <file>', 'the file on the host, absolute; {id} is the peel ID'),
    ...LIST_OPTIONS,
    ...PROGRAM_OPTIONS,
  },
  notes: `
The host is the list's column "host" (CSV or NDJSON), else the ID. On the host the file is replaced in one step: a new file
beside it, mode 0600, complete and synced, then renamed. Its directory must exist; its owner is the ssh user. ssh asks nothing
(BatchMode): set up keys and known hosts first.`,
  examples: [
    'zester creds deliver --ssh --from hosts.csv --path /etc/zester/peel.creds --expiry 30d',
    'zester creds deliver --ssh --from hosts.csv --path /etc/zester/{id}.creds --journal done.txt -- -l root -p 2222',
  ],
  async run(input, context) {
    const { io, output } = context;
    const { ssh, path, resume, journal, sshArguments } = input;
    if (!ssh) throw new UsageError('say how: --ssh');
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
        host === undefined || isHost(host) ? undefined : 'its host is no name or address of one',
      show: (result: object, summary: string) => output.result([summary], { path, ...result }),
    };
    await issueListed(input, how, context);
  },
});
