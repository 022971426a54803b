// Identifies a process, even if its ID is reused. Synchronous: the system answers from memory.
import { readFileSync } from 'node:fs';

/** A process, distinguished from a later one with the same ID. */
export interface ProcessIdentity {
  pid: number;
  /** Its start time, by the system's own clock; absent if the system does not report it. */
  started?: string;
}

/** This process. */
export function processIdentity(): ProcessIdentity {
  const started = startOf(process.pid);
  return { pid: process.pid, ...(started !== undefined && { started }) };
}

/** Whether this process still runs on this host. */
export function isSameProcess(identity: ProcessIdentity): boolean {
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const started = startOf(identity.pid);
  if (started === ENDED) return false;
  return identity.started === undefined || started === undefined || started === identity.started;
}

/** A zombie: killed, but not reaped by its parent yet, so it still has its ID. */
const ENDED = 'ended';

/** The boot and the clock ticks after it: IDs restart from 1 after a boot. Linux only. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1');
    // the second field is the program's name in parentheses, and may contain spaces; the state is the third, the start
    // the 22nd
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return ENDED;
    const ticks = fields[19];
    return ticks === undefined ? undefined : `${boot.trim()}/${ticks}`;
  } catch {
    return undefined;
  }
}
