import { readFileSync } from 'node:fs';

/**
 * Whether a process is alive. A zombie whose new parent has not reaped it (in a container the first process may never
 * do so) is not alive.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]$/.test(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '');
  } catch {
    return process.platform !== 'linux';
  }
}
