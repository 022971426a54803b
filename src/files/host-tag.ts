// A tag of this host or container, for the names of temporary files.
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';

/**
 * The scope in which a process ID in a file name is meaningful: another host or container on the same volume has other
 * processes.
 */
export const hostTag = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);
