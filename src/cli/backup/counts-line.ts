// Formats the item counts of a backup.
import type { BackupSummary } from '../../backup/entries.js';
import { count } from '../terminal/columns.js';

/** Such as "16 files, 200 peels, 1 join token, 4,711 audit events". */
export function countsLine({ files, peels, tokens, events }: BackupSummary): string {
  return [
    count(files, 'file'),
    count(peels, 'peel'),
    count(tokens, 'join token'),
    count(events, 'audit event'),
  ].join(', ');
}
