// Saves the progress of a rotation of all peels, so that it can be resumed.
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import * as v from 'valibot';
import { readTextFile } from '../../files/read-small-file.js';
import { writeSecretFile } from '../../files/write-secret-file.js';
import { recordOf } from '../../options/record-of.js';
import { parseJson } from '../../protocol/messages.js';
import { userHome } from '../../trust/home.js';
import { ensurePrivateDirectory } from '../../trust/private-files.js';
import type { CliIo } from '../terminal/io.js';

/**
 * A rotation of all peels: the key of each peel at its start. So it needs no clock to detect finished peels, and can be
 * resumed.
 */
const campaignSchema = v.object({
  /** ISO 8601. */
  startedAt: v.string(),
  /** The public key of each peel at the start. */
  keys: recordOf(v.string()),
});
/** Room for a million peels. */
const MAX_CAMPAIGN_BYTES = 200 * 1024 * 1024;

export type Campaign = v.InferOutput<typeof campaignSchema>;

/**
 * The file of an account's rotation: in `$XDG_STATE_HOME/zester`, else `~/.local/state/zester`.
 *
 * @param labels a rotation of peels with these labels is a separate one
 */
export function campaignPath(
  account: string,
  { env }: Pick<CliIo, 'env'>,
  labels?: string,
): { directory: string; path: string } {
  const state = env['XDG_STATE_HOME'] ?? '';
  const directory = join(isAbsolute(state) ? state : join(userHome(env), '.local', 'state'), 'zester');
  const of = labels === undefined ? '' : `-${createHash('sha256').update(labels).digest('hex').slice(0, 16)}`;
  return { directory, path: join(directory, `rotation-${account}${of}.json`) };
}

/** @returns undefined if none is in progress, or its file is unusable @throws FileError when it cannot be read */
export async function loadCampaign(path: string): Promise<Campaign | undefined> {
  const text = await readTextFile(path, MAX_CAMPAIGN_BYTES);
  if (text === undefined) return undefined;
  const parsed = v.safeParse(campaignSchema, parseJson(text));
  return parsed.success ? parsed.output : undefined;
}

/** @throws FileError */
export async function saveCampaign(
  { directory, path }: { directory: string; path: string },
  campaign: Campaign,
): Promise<void> {
  await ensurePrivateDirectory(directory);
  await writeSecretFile(path, Buffer.from(`${JSON.stringify(campaign)}\n`));
}

export async function removeCampaign(path: string): Promise<void> {
  await rm(path, { force: true });
}
