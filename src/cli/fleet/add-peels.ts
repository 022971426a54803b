// Issues credentials for new peels, through a master or offline.
import { dirname } from 'node:path';
import { eachAtOnce } from '../../async/each-at-once.js';
import { writeCredsFile } from '../../creds/generate.js';
import { FleetError, ZesterError } from '../../errors.js';
import type { AdminClient } from '../../protocol/admin-client.js';
import { newRequestId } from '../../protocol/admin-client.js';
import { newKeyProof } from '../../protocol/proofs.js';
import { signProof } from '../../protocol/prove-key.js';
import { decodeUserJwt } from '../../jwt/decode.js';
import { generateKeyBundle } from '../../nkeys/key-bundle.js';
import { requireStored } from '../../fleet-client/checked-labels.js';
import type { Labels } from '../../protocol/records/labels.js';
import type { TrustDomain } from '../../trust/domain.js';
import { writeRecoveryFile } from '../../peel/recovery-files.js';
import { ensureDirectory } from '../options/ensure-directory.js';
import type { CliIo } from '../terminal/io.js';
import { refuseToReplace } from '../options/new-file.js';

/** An added peel. */
export interface AddedPeel {
  id: string;
  path: string;
  publicKey: string;
  /** Seconds since 1970; undefined: never. */
  expiresAt: number | undefined;
}

/** A peel to add: its ID, the file, and labels of its own. */
export interface PeelToAdd {
  id: string;
  path: string;
  labels?: Labels | undefined;
}

/** Issues credentials for one peel into a file. */
export type PeelIssuer = (peel: PeelToAdd) => Promise<AddedPeel>;

/** The options for each peel. */
export interface AddOptions {
  /** Seconds; undefined: the default. */
  expiry: number | undefined;
  /** Replace an existing ID and file. */
  replace: boolean;
  /** Labels of every peel, stored by the masters. A peel's own label of the same name takes precedence. */
  labels?: Labels | undefined;
}

/**
 * Issues through a master: the key is made here, and only its public half is sent.
 *
 * @throws FleetError, FileError. A credential that could not be written is not lost: it can be issued again
 */
export function issuerThrough(
  client: AdminClient,
  { expiry, replace, labels: common }: AddOptions,
): PeelIssuer {
  return async ({ id: peelId, path, labels: own }) => {
    const labels = common === undefined ? own : { ...common, ...own };
    await refuseToReplace(path, replace, '--replace');
    await ensureDirectory(dirname(path));
    const key = generateKeyBundle('user');
    try {
      const { publicKey } = key;
      const request = {
        requestId: newRequestId(),
        peelId,
        publicKey,
        signature: signProof(key, newKeyProof({ request: 'peel.add', id: peelId, publicKey })),
        ...(expiry !== undefined && { expiry }),
        ...(replace && { replace }),
        ...(labels !== undefined && { labels }),
      };
      const { jwt, recovery, labels: stored } = await askTwice(() => client.ask('peel.add', request));
      const claims = decodeUserJwt(jwt);
      if (claims.sub !== key.publicKey || claims.name !== peelId) {
        throw new FleetError(
          'ERR_FLEET_ANSWER',
          `the master returned a JWT that is not for the key of "${peelId}"`,
          {
            peelId,
          },
        );
      }
      const seed = key.seed;
      try {
        await writeCredsFile(path, jwt, seed, { ifAbsent: !replace });
        if (recovery !== undefined) await writeRecoveryFile(path, recovery);
      } catch (cause) {
        if (!(cause instanceof ZesterError)) throw cause;
        throw new FleetError(
          'ERR_FLEET_INCOMPLETE',
          `"${peelId}" was issued, but not all of its files were written (${cause.message}): fix that, then add it again with --replace`,
          { cause, peelId },
        );
      } finally {
        seed.fill(0);
      }
      requireStored(labels, stored, `"${peelId}" was added, and its file was written`);
      return { id: peelId, path, publicKey: key.publicKey, expiresAt: claims.exp };
    } finally {
      key.wipe();
    }
  };
}

/** A master may have died with the request: another one answers a retry with the same result. */
async function askTwice<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof FleetError) || error.code !== 'ERR_FLEET_TIMEOUT') throw error;
    return ask();
  }
}

/** Issues from the home, without a master: masters learn of the peel when it connects. */
export function issuerOffline(domain: TrustDomain, { expiry, replace }: AddOptions, io: CliIo): PeelIssuer {
  return async ({ id: peelId, path }) => {
    await refuseToReplace(path, replace, '--replace');
    await ensureDirectory(dirname(path));
    const { user, jwt } = await domain.issuePeel(peelId, path, {
      now: io.now,
      ifAbsent: !replace,
      ...(expiry !== undefined && expiry > 0 && { expiry }),
    });
    user.wipe();
    return { id: peelId, path, publicKey: user.publicKey, expiresAt: decodeUserJwt(jwt).exp };
  };
}

/**
 * Issues for many peels, concurrently. A failure does not stop the others, unless the next ones would fail with it too:
 * then no more are started, and those in progress are completed, because a master may have issued them already and
 * their keys exist only here.
 *
 * @param signal stops after those in progress
 * @throws the error that stopped it; `failed` was called with it
 */
export function addAll(
  targets: readonly PeelToAdd[],
  issue: PeelIssuer,
  atOnce: number,
  signal: AbortSignal,
  events: { added: (peel: AddedPeel) => void; failed: (id: string, error: ZesterError) => void },
): Promise<void> {
  const add = async (target: PeelToAdd) => {
    try {
      events.added(await issue(target));
    } catch (error) {
      if (!(error instanceof ZesterError)) throw error;
      events.failed(target.id, error);
      if (ends(error)) throw error;
    }
  };
  return eachAtOnce(targets, atOnce, add, signal);
}

/** Whether the next one would fail with the same error. */
function ends({ code }: ZesterError): boolean {
  return code === 'ERR_FLEET_NO_MASTER' || code === 'ERR_FLEET_DENIED' || code === 'ERR_FLEET_INCOMPLETE';
}
