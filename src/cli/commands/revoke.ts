import type { ChangeOptions } from '../../nats-server/change-account.js';
import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import { isoTime } from '../../jwt/time.js';
import type { RegisteredJwt, RevokeTarget } from '../../nats-server/revoke.js';
import {
  changeOptions,
  pushedLine,
  withChangeOptions,
  type AccountChangeOptions,
} from '../change-options.js';
import { confirm } from '../confirm.js';
import { parsePast, PAST_FORM } from '../duration.js';
import type { CliIo } from '../io.js';
import { Output, table, type GlobalOptions } from '../output.js';
import { seedPath } from '../seed-path.js';

interface Options extends GlobalOptions, AccountChangeOptions {
  key?: string;
  creds?: string;
  issuedBefore?: string;
  includeMaster?: boolean;
  yes?: boolean;
}

/** `zester revoke`: ends credentials, on every server. */
export function registerRevoke(parent: Command, io: CliIo): void {
  withChangeOptions(parent.command('revoke'))
    .description('revoke credentials: live connections are cut, and every server refuses them from then on')
    .argument('[peelId]', 'every credential of this peel')
    .option('--key <key>', "one user's public key (U…)")
    .option('--creds <file>', 'the user of a .creds file')
    .option('--issued-before <time>', `everything that the account issued up to then: ${PAST_FORM}`)
    .option(
      '--include-master',
      'with it: also the master and the admin of this home, when they cannot be renewed',
    )
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `
By id, the keys are those that were issued from this home (issued.ndjson keeps the public keys), those in the fleet's
registry, which is read without a master, and those that a peel of that name is connected with now. A credential made
elsewhere that is not connected is known by none of them: give its file or key, or revoke by time.

--issued-before first renews the home's master.creds and admin.creds where they are older. Up to now, it also revokes by
key what the home and the registry know to be dated ahead of the clock, and what is connected so. A JWT dated later that none
of them knows stays valid, and the output says so.

Done (0) means that every server has the revocation and nobody is left connected for whom it holds; else it ends with 4
and names the servers where that is not so.

Examples:
  $ zester revoke web-server-01
  $ zester revoke --creds stolen.creds --yes
  $ zester revoke --issued-before 2026-01-31T12:00:00Z`,
    )
    .action(async (peelId: string | undefined, _options, command: Command) => {
      await run(peelId, command.optsWithGlobals<Options>(), io);
    });
}

async function run(peelId: string | undefined, options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const target = targetOf(peelId, options, io);
  if ('peelId' in target) (await import('../../permissions/peel-id.js')).validatePeelId(target.peelId);
  const { home, ...rest } = await changeOptions(options, io, output);
  await confirm(io, `this locks out ${wordsOf(target)}`, options.yes);
  const { revoke } = await import('../../nats-server/revoke.js');
  const { requireComplete } = await import('../../nats-server/push-account.js');
  const registry = await registryOf(home, target, rest);
  const { revoked, upTo, reissued, undecided, report } = await revoke(home, target, {
    ...rest,
    ...(registry.keys !== undefined && { registered: registry.keys }),
    includeMaster: options.includeMaster === true,
  });
  const { issuedUpTo } = await import('../issued-up-to.js');
  const time = issuedUpTo(upTo);
  output.result(
    [
      `revoked ${wordsOf(target)}`,
      ...table([
        ['keys', revoked.map((key) => (key === '*' ? 'all' : key))],
        ['issued up to', time ?? 'whenever: for good'],
        ...(reissued.length === 0 ? [] : [['renewed', reissued] as const]),
        ['servers', pushedLine(report)],
        ...('issuedBefore' in target ? [['still valid', beyond(target.issuedBefore)] as const] : []),
      ]),
    ],
    { revoked, issuedUpTo: time ?? null, reissued, undecided, servers: report ?? null },
  );
  for (const jwt of undecided) {
    output.warn(
      `${jwt.publicKey} has a JWT dated ${isoTime(jwt.issuedAt)}, ahead of the clock, and may have had it before that time: ` +
        `it stays valid; "zester revoke --key ${jwt.publicKey}" ends it`,
    );
  }
  if (report !== undefined) requireComplete(report, 'the revocation');
  // what is done is said above; what may be missing is the error
  if (registry.error !== undefined) throw registry.error;
}

/** What no revocation by time can reach: nobody knows that it exists. */
function beyond(time: number): string {
  return (
    `a JWT dated later than ${isoTime(time / 1000)} that is in neither home nor registry and not connected; ` +
    'if a signing key was stolen, replace it ("zester keys add")'
  );
}

/** The JWTs that masters issued: the home does not know them. */
async function registryOf(
  home: string,
  target: RevokeTarget,
  { servers, tls, requireTls }: ChangeOptions,
): Promise<{ keys?: RegisteredJwt[]; error?: Error }> {
  if (servers === false) return {};
  const { openTrustDomain } = await import('../../trust/open.js');
  const { jwtsFromHome, peelFromHome } = await import('../../fleet/from-home.js');
  const { usableKeys } = await import('../../fleet/key-use.js');
  const at = { servers, tls, requireTls };
  try {
    const domain = await openTrustDomain(home);
    if (!('peelId' in target)) return { keys: await jwtsFromHome(domain, at) };
    const record = await peelFromHome(domain, at, target.peelId);
    return { keys: record === undefined ? [] : usableKeys(record) };
  } catch (cause) {
    // of a key that is named nothing has to be known: it is revoked for good
    if (!('peelId' in target || 'issuedBefore' in target)) return {};
    const { FleetError } = await import('../../errors.js');
    const why = cause instanceof Error ? cause.message : String(cause);
    const missing =
      'peelId' in target
        ? `keys that masters issued to "${target.peelId}" may still be good`
        : 'JWTs that masters dated ahead of the clock may still be good';
    const other = 'peelId' in target ? `, or "zester peel revoke ${target.peelId}"` : '';
    return {
      error: new FleetError(
        'ERR_FLEET_UNCONFIRMED',
        `${missing}: the registry could not be read (${why}); do it again${other}`,
        { cause, ...('peelId' in target && { peelId: target.peelId }) },
      ),
    };
  }
}

function targetOf(peelId: string | undefined, options: Options, io: CliIo): RevokeTarget {
  const { key, creds, issuedBefore } = options;
  if ([peelId, key, creds, issuedBefore].filter((given) => given !== undefined).length !== 1) {
    throw new UsageError('say what to revoke: a peel id, --key, --creds or --issued-before (one of them)');
  }
  if (key !== undefined) return { publicKey: key };
  if (creds !== undefined) return { credsPath: seedPath('--creds', creds) };
  if (issuedBefore !== undefined) return { issuedBefore: parsePast(issuedBefore, io.now()) };
  return { peelId: peelId ?? '' };
}

function wordsOf(target: RevokeTarget): string {
  if ('peelId' in target) return `every credential of the peel ${target.peelId}`;
  if ('publicKey' in target) return target.publicKey.startsWith('S') ? 'a key' : target.publicKey;
  if ('credsPath' in target) return `the user of ${target.credsPath}`;
  return `everything issued up to ${isoTime(target.issuedBefore / 1000)}`;
}
