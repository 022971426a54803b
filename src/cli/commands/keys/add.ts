// `zester keys add`: add a signing key: the first step of a key rotation.
import { FindingsError, UsageError } from '../../../errors.js';
import { pushedLine } from '../../options/change-options.js';
import { command } from '../../command/declaration.js';
import type { ChangeContext } from '../../command/context.js';
import { choiceArgument, seedFile, span } from '../../command/option.js';
import { daysText } from '../../options/duration.js';
import { renewedDocument, renewedLine } from '../../fleet/renewed-creds.js';
import { SIGNED } from '../../terminal/signing-kinds.js';
import { OWN_CREDENTIALS_LIFETIME_SECONDS } from '../../../timing.js';

const KINDS = ['peel-signing', 'join-signing', 'operator-signing', 'master-signing'] as const;

export default command({
  summary: 'add a signing key: the first step of a key rotation',
  needs: 'change',
  arguments: { kind: choiceArgument('kind of signing key', KINDS) },
  options: {
    accountSeed: seedFile(
      '--account-seed <file>',
      'with master-signing: the identity seed, if it is offline',
    ),
    lifetime: span(
      '--lifetime <time>',
      `with master-signing: lifetime of the credentials (default: ${daysText(OWN_CREDENTIALS_LIFETIME_SECONDS)})`,
    ),
  },
  notes: `
peel-signing: adds a key with the same template, pushes the account, and signs new peels with the key. Once the
credentials signed by the old key are renewed, remove it with "zester keys remove".

join-signing: the same for join tokens.

operator-signing: needs the operator's identity seed. Give the servers the new operator JWT (restart them one by one
with the output of "zester server config"), run "zester keys use", then "zester keys remove" for the old key, and update
the servers again.

master-signing: makes master.creds, admin.creds and system.creds expire, and renew themselves while in use. Upgrade
every peel and master first (docs/upgrading.md).`,
  examples: ['zester keys add peel-signing', 'zester keys add operator-signing'],
  async run({ kind, accountSeed, lifetime }, context) {
    const { io, output, home: path, change } = context;
    if (kind === 'master-signing') return addMasterSigning({ accountSeed, lifetime }, context);
    if (accountSeed !== undefined || lifetime !== undefined)
      throw new UsageError('--account-seed and --lifetime are for master-signing');
    const keys = await import('../../../account/rotate-keys.js');
    if (kind === 'operator-signing') {
      const publicKey = await keys.addOperatorSigningKey(path, { now: io.now });
      output.result([publicKey], { kind, publicKey, inUse: false, servers: null });
      output.note(`next: give the servers the new operator JWT, then "zester keys use ${publicKey}"`);
      return;
    }
    const { home, ...rest } = await change();
    const { requireComplete } = await import('../../../account/push-account.js');
    const { publicKey, inUse, report } = await keys.addAccountSigningKey(home, kind, rest);
    const use = inUse ? `it signs new ${SIGNED[kind]}` : 'not yet in use';
    output.result([publicKey, `${pushedLine(report)}; ${use}`], {
      kind,
      publicKey,
      inUse,
      servers: report ?? null,
    });
    if (report !== undefined) requireComplete(report, 'the new signing key');
  },
});

async function addMasterSigning(
  { accountSeed, lifetime }: { accountSeed: string | undefined; lifetime: number | undefined },
  { io, output, change }: ChangeContext,
): Promise<void> {
  const { home, servers, ...rest } = await change();
  if (servers === false)
    throw new UsageError(
      'master-signing cannot be combined with --no-push: the servers must have the keys first',
    );
  if (lifetime !== undefined && (lifetime < 1_000 || lifetime % 1_000 !== 0))
    throw new UsageError('--lifetime must be a whole number of seconds, at least 1');
  const { addMasterKeys } = await import('../../../masters/add-master-keys.js');
  const { keys, renewed, report, stillUsed } = await addMasterKeys(home, {
    ...rest,
    servers,
    accountSeed,
    ...(lifetime !== undefined && { lifetime: lifetime / 1_000 }),
  });
  output.result(
    [
      ...Object.entries(keys).map(([kind, publicKey]) => `${output.key(publicKey)}  ${kind}`),
      pushedLine(report),
      ...renewed.map((one) => renewedLine(one, io.now())),
    ],
    {
      kind: 'master-signing',
      keys,
      credentials: renewed.map(renewedDocument),
      stillUsed,
      servers: report,
    },
  );
  if (stillUsed.length > 0)
    throw new FindingsError(
      `the old JWTs of ${stillUsed.join(', ')} are still in use, so they are not revoked: stop the programs that use copies of the old files, then run "zester permissions migrate"`,
    );
}
