// Whether a program is on the PATH: tests that need a missing program are skipped.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export function hasProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((dir) => existsSync(join(dir, name)));
}
