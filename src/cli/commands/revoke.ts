// `zester revoke`: revoke credentials on every server, from the home.
import { errorMessage } from '../../text/error-message.js';
import { isoTime } from '../../jwt/time.js';
import type { ChangeOptions } from '../../account/change-account.js';
import type { RegisteredJwt, RevokeTarget } from '../../account/revoke.js';
import { pushedLine } from '../options/change-options.js';
import { command } from '../command/declaration.js';
import { requireOneOf } from '../command/one-of.js';
import { flag, optionalArgument, past, seedFile, text } from '../command/option.js';
import { confirm } from '../terminal/confirm.js';
import { table } from '../terminal/output.js';

export default command({
  summary: 'revoke credentials on every server, from the home',
  section: 'Credentials and keys',
  needs: 'change',
  arguments: { peelId: optionalArgument('every credential of this peel') },
  options: {
    key: text('--key <key>', "a user's public key (U…)"),
    creds: seedFile('--creds <file>', 'the user of a .creds file'),
    issuedBefore: past(
      '--issued-before <time>',
      'everything issued up to this time, e.g. 2h (ago), or a date',
    ),
    includeMaster: flag('--include-master', "with --issued-before: also this home's master and admin"),
    yes: flag('-y, --yes', 'skip the confirmation'),
  },
  notes: `
By ID, revokes the keys that this home or a master issued, and those connected under that name. A credential that was
issued elsewhere and is not connected is unknown: pass its file or key, or revoke by time. --issued-before first renews
master.creds and admin.creds if they are older. The output names the JWTs that a revocation by time cannot cover.

Exit code 0: every server has the revocation and no connection is left. Otherwise 4, and the output names the servers.`,
  examples: [
    'zester revoke web-server-01',
    'zester revoke --creds stolen.creds --yes',
    'zester revoke --issued-before 2026-01-31T12:00:00Z',
  ],
  async run({ includeMaster, yes, ...given }, { io, output, change }) {
    const target = targetOf(given);
    if ('peelId' in target) (await import('../../permissions/peel-id.js')).validatePeelId(target.peelId);
    const { home, ...rest } = await change();
    await confirm(io, `this locks out ${wordsOf(target)}`, yes);
    const { revoke } = await import('../../account/revoke.js');
    const { requireComplete } = await import('../../account/push-account.js');
    const registry = await registryOf(home, target, rest);
    const { revoked, upTo, reissued, undecided, report } = await revoke(home, target, {
      ...rest,
      ...(registry.keys !== undefined && { registered: registry.keys }),
      includeMaster,
    });
    const { issuedUpTo } = await import('../terminal/issued-up-to.js');
    const time = issuedUpTo(upTo);
    output.result(
      [
        `revoked ${wordsOf(target)}`,
        ...table([
          ['keys', revoked.map((key) => (key === '*' ? 'all' : output.key(key)))],
          ['issued up to', time ?? 'at any time (permanent)'],
          ...(reissued.length === 0 ? [] : [['renewed', reissued] as const]),
          ['servers', pushedLine(report)],
          ...('issuedBefore' in target ? [['still valid', beyond(target.issuedBefore)] as const] : []),
        ]),
      ],
      { revoked, issuedUpTo: time ?? null, reissued, undecided, servers: report ?? null },
    );
    for (const jwt of undecided) {
      output.warn(
        `${jwt.publicKey} has a JWT dated ${isoTime(jwt.issuedAt)}, ahead of the clock, and may be older than that time: ` +
          `it stays valid; revoke it with "zester revoke --key ${jwt.publicKey}"`,
      );
    }
    if (report !== undefined) requireComplete(report, 'the revocation');
    // the output above shows what is done; the error shows what may be missing
    if (registry.error !== undefined) throw registry.error;
  },
});

/** JWTs that no revocation by time covers, since they are unknown. */
function beyond(time: number): string {
  return (
    `a JWT dated later than ${isoTime(time / 1000)} that is neither in the home or the registry nor connected; ` +
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
  const { jwtsFromHome, peelFromHome } = await import('../../fleet-client/from-home.js');
  const { usableKeys } = await import('../../fleet-client/key-use.js');
  const at = { servers, tls, requireTls };
  try {
    const domain = await openTrustDomain(home);
    if (!('peelId' in target)) return { keys: await jwtsFromHome(domain, at) };
    const record = await peelFromHome(domain, at, target.peelId);
    return { keys: record === undefined ? [] : usableKeys(record) };
  } catch (cause) {
    // a key given by name needs no record: it is revoked permanently
    if (!('peelId' in target || 'issuedBefore' in target)) return {};
    const { FleetError } = await import('../../errors.js');
    const why = errorMessage(cause);
    const missing =
      'peelId' in target
        ? `keys that masters issued to "${target.peelId}" may still be valid`
        : 'JWTs that masters dated ahead of the clock may still be valid';
    const other = 'peelId' in target ? `, or "zester peel revoke ${target.peelId}"` : '';
    return {
      error: new FleetError(
        'ERR_FLEET_UNCONFIRMED',
        `${missing}: the registry could not be read (${why}); run it again${other}`,
        { cause, ...('peelId' in target && { peelId: target.peelId }) },
      ),
    };
  }
}

function targetOf(given: {
  peelId: string | undefined;
  key: string | undefined;
  creds: string | undefined;
  issuedBefore: number | undefined;
}): RevokeTarget {
  const { peelId, key, creds, issuedBefore } = given;
  requireOneOf(given, 'pass exactly one of: a peel ID, --key, --creds, --issued-before');
  if (key !== undefined) return { publicKey: key };
  if (creds !== undefined) return { credsPath: creds };
  if (issuedBefore !== undefined) return { issuedBefore };
  return { peelId: peelId ?? '' };
}

function wordsOf(target: RevokeTarget): string {
  if ('peelId' in target) return `every credential of the peel ${target.peelId}`;
  if ('publicKey' in target) return target.publicKey.startsWith('S') ? 'a key' : target.publicKey;
  if ('credsPath' in target) return `the user of ${target.credsPath}`;
  return `everything issued up to ${isoTime(target.issuedBefore / 1000)}`;
}
