// Rotates the keys of peels, and shows progress and failures.
import type { ContextOf } from '../command/context.js';
import type { Admin } from './admin.js';
import type { RotatePeelsOptions, RotationResult } from './rotate-peels.js';

/**
 * As `rotatePeels`, until the command is interrupted. Progress and failures go to standard error.
 *
 * @throws as `rotatePeels`
 */
export async function rotateWithProgress(
  admin: Admin,
  how: Pick<RotatePeelsOptions, 'keys' | 'limit' | 'timeoutMs' | 'since' | 'wait'>,
  { io, output, interruption }: Pick<ContextOf<'fleet'>, 'io' | 'output' | 'interruption'>,
): Promise<RotationResult> {
  const { rotatePeels } = await import('./rotate-peels.js');
  const { Progress } = await import('../bulk/progress.js');
  const progress = new Progress(io, output.quiet, 'rotated');
  const { size } = how.keys;
  try {
    return await rotatePeels(
      admin,
      {
        ...how,
        signal: interruption(),
        onProgress: ({ done, asked, late }) =>
          progress.reach(done.size, size === 0 ? 1 : (done.size + asked.size + late.size) / size),
        onFailed: (peelId, error) => {
          progress.clear();
          output.warn(`${peelId}: ${error.message} [${error.code}]`);
        },
      },
      io,
    );
  } finally {
    progress.clear();
  }
}
