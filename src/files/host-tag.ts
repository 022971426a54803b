// A tag of this host or container, for the names of temporary files.
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';

/** Where a process id in a file's name means what it means here: another host or container on the same volume has others. */
export const hostTag = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);
