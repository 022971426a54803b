// `zester revocations list`: list revocations, newest first.
import { command } from '../../command/declaration.js';
import { table } from '../../terminal/output.js';

export default command({
  summary: 'list revocations, newest first',
  needs: 'change',
  notes: 'Reads the newest account JWT of the home and the servers; with --no-push, the one in the home.',
  examples: ['zester revocations list', 'zester revocations list --no-push'],
  async run(_input, { output, change }) {
    const { home, ...rest } = await change();
    const { listRevocations } = await import('../../../account/revoke.js');
    const { issuedUpTo } = await import('../../terminal/issued-up-to.js');
    const all = await listRevocations(home, rest);
    const reach = (upTo: number) => {
      const time = issuedUpTo(upTo);
      return time === undefined ? 'permanent' : `issued up to ${time}`;
    };
    output.result(
      all.length === 0
        ? ['no revocations']
        : table(
            all.map(({ publicKey, upTo, peelId }) => {
              const who = publicKey === '*' ? 'everyone' : output.key(publicKey);
              return [who, `${reach(upTo)}${peelId === undefined ? '' : `  ${peelId}`}`] as const;
            }),
          ),
      {
        revocations: all.map(({ publicKey, upTo, peelId }) => ({
          publicKey,
          issuedUpTo: issuedUpTo(upTo) ?? null,
          peelId: peelId ?? null,
        })),
      },
    );
  },
});
