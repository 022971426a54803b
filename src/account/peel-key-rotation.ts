// Replaces the peel signing key of a home: adds another and switches to it, and ends the rotation. Resumable.
import { writeSettings, type PeelKeyRotation } from '../trust/settings.js';
import { generateKeyBundle } from '../nkeys/key-bundle.js';
import type { Clock } from '../jwt/time.js';
import { signingKeyOf } from '../trust/create/adopt.js';
import type { TrustDomain } from '../trust/domain.js';
import { withSigningKeyLike } from '../trust/keys/signing-keys.js';
import { withHomeLock, type HomeLockOptions } from '../trust/lock.js';
import { openTrustDomain } from '../trust/open.js';
import { addedSeedPath } from '../trust/paths.js';
import { changeAccount, withOpenHome, type ChangeOptions } from './change-account.js';
import { requireComplete, type PushReport } from './push-account.js';

/** The result of {@link switchPeelSigningKey}. */
export interface SwitchedPeelKey extends PeelKeyRotation {
  /** The servers that have the new key: all of them. */
  report: PushReport | undefined;
}

/**
 * Adds a peel signing key with the template of the one in use, and signs with it once every server has it. Credentials
 * signed by the old key stay valid. The home records the rotation until {@link endPeelKeyRotation}: after an
 * interruption at any point, another call continues with the same key.
 *
 * @throws NatsServerError when a server has not confirmed: the old key signs until then; as `changeAccount`
 */
export async function switchPeelSigningKey(home: string, options: ChangeOptions): Promise<SwitchedPeelKey> {
  return withOpenHome(home, 'zester keys rotate', options, async (open) => {
    const { domain } = open;
    const rotation = domain.settings.peelKeyRotation ?? (await beginRotation(domain, options.now));
    const { from, to, startedAt } = rotation;
    const { report } = await changeAccount(
      open,
      // it exists if an earlier call was interrupted after the push
      (claims) =>
        signingKeyOf(claims, to) === undefined ? withSigningKeyLike(home, claims, from, to) : claims,
      { now: options.now },
    );
    if (report !== undefined) requireComplete(report, 'the new signing key');
    const { settings } = domain;
    if (settings.account.peelSigningKey !== to)
      await writeSettings(domain.paths.settings, {
        ...settings,
        account: { ...settings.account, peelSigningKey: to },
        keysAdded: { ...settings.keysAdded, [to]: startedAt },
        peelKeyRotation: rotation,
      });
    return { ...rotation, report };
  });
}

/** Writes the seed before the settings: without the seed, the rotation could not resume. */
async function beginRotation(
  { paths, settings }: TrustDomain,
  now: Clock = Date.now,
): Promise<PeelKeyRotation> {
  const key = generateKeyBundle('account');
  try {
    await key.saveSeedToFile(addedSeedPath(paths, 'peel-signing', key.publicKey));
    const rotation = {
      from: settings.account.peelSigningKey,
      to: key.publicKey,
      startedAt: new Date(now()).toISOString(),
    };
    await writeSettings(paths.settings, { ...settings, peelKeyRotation: rotation });
    return rotation;
  } finally {
    key.wipe();
  }
}

/** Ends the rotation to this key, after the old one was removed. @throws TrustError, FileError */
export async function endPeelKeyRotation(home: string, to: string, options: HomeLockOptions): Promise<void> {
  await withHomeLock(
    home,
    'zester keys rotate',
    async () => {
      const { settings, paths } = await openTrustDomain(home);
      const { peelKeyRotation, ...rest } = settings;
      if (peelKeyRotation?.to === to) await writeSettings(paths.settings, rest);
    },
    options,
  );
}
