// When the credentials of the registry's peels expire.
import { ZesterError } from '../../errors.js';
import { currentKey, isAccepted, type PeelRecord } from '../../protocol/records/record.js';
import type { CliIo } from '../terminal/io.js';
import { connectionOf, homeOf } from '../options/home-options.js';
import { asAdmin, type AdminOptions } from './admin.js';

/** A peel of the registry, and when its credential expires. */
export interface PeelExpiration {
  peelId: string;
  publicKey: string;
  /** Milliseconds since 1970; undefined: never. */
  expiresAt: number | undefined;
  /** Whether it renews its credential by itself: it is connected, and a master runs. */
  renews: boolean;
}

/** The result from the registry. */
export interface RegistryExpirations {
  peels: PeelExpiration[];
  /** Every key in the registry, including retired ones. */
  keys: ReadonlySet<string>;
}

/**
 * When the credentials of the registry's peels expire. Asks a master; if none runs, reads the registry with the home's
 * master credentials.
 *
 * @returns the result; or why the registry could not be read
 */
export async function registryExpirations(
  options: AdminOptions,
  io: CliIo,
): Promise<RegistryExpirations | { unread: ZesterError }> {
  try {
    return await asAdmin(options, io, async ({ client }) => {
      const found = new Collected();
      for await (const part of client.stream('peel.list', {}))
        for (const { record, presence } of part.peels)
          found.add(record, (presence?.connections.length ?? 0) > 0);
      return found;
    });
  } catch (error) {
    if (!(error instanceof ZesterError)) throw error;
    const withoutMaster = error.code === 'ERR_FLEET_NO_MASTER' ? await fromJetStream(options, io) : undefined;
    return withoutMaster ?? { unread: error };
  }
}

class Collected implements RegistryExpirations {
  readonly peels: PeelExpiration[] = [];
  readonly keys = new Set<string>();

  add(record: PeelRecord, renews: boolean): void {
    for (const { publicKey } of record.keys) this.keys.add(publicKey);
    const key = isAccepted(record) ? currentKey(record) : undefined;
    if (key === undefined) return;
    const { publicKey, expiresAt } = key;
    this.peels.push({
      peelId: record.id,
      publicKey,
      expiresAt: expiresAt === undefined ? undefined : expiresAt * 1000,
      renews,
    });
  }
}

/** Without a master, nothing is renewed. @returns undefined if it cannot be read that way either */
async function fromJetStream(options: AdminOptions, io: CliIo): Promise<RegistryExpirations | undefined> {
  const { openTrustDomain } = await import('../../trust/open.js');
  const { peelsFromHome } = await import('../../fleet-client/from-home.js');
  try {
    const domain = await openTrustDomain(homeOf(options, io));
    const found = new Collected();
    for (const record of await peelsFromHome(domain, connectionOf(options, io, domain)))
      found.add(record, false);
    return found;
  } catch (error) {
    if (error instanceof ZesterError) return undefined;
    throw error;
  }
}
