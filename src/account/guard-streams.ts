// Applies the stream guards to the streams of an older fleet.
import type { Clock } from '../jwt/time.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import type { SystemConnectionOptions } from '../system-account/system-connection.js';
import type { TrustDomain } from '../trust/domain.js';
import { changeStreams } from './change-streams.js';
import { allowedByStream, STREAM_GUARDS } from './stream-guards.js';

/** The result of {@link guardStreams}. */
export interface GuardedStreams {
  /** The server answered with the guarded configuration. */
  guarded: string[];
  failed: { name: string; why: string }[];
}

/** Applies the settings of `STREAM_GUARDS` to streams. Parameters as for `changeStreams`. */
export async function guardStreams(
  domain: TrustDomain,
  signer: KeyBundle,
  names: readonly string[],
  options: SystemConnectionOptions & { now?: Clock | undefined },
): Promise<GuardedStreams> {
  const result: GuardedStreams = { guarded: [], failed: [] };
  for (const changed of await changeStreams(domain, signer, names, STREAM_GUARDS, options)) {
    const { name } = changed;
    const allows = 'config' in changed ? allowedByStream(changed.config) : [];
    if ('why' in changed) result.failed.push(changed);
    else if (allows.length === 0) result.guarded.push(name);
    else result.failed.push({ name, why: `the server still allows ${allows.join(', ')}` });
  }
  return result;
}
