/**
 * Locks the given home, reports that, and holds the lock until its standard input ends; with "count", appends to a
 * file.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { withHomeLock } from '../../../src/trust/lock.js';

const [home = '', counter] = process.argv.slice(2);
if (counter === undefined) {
  await withHomeLock(home, 'zester revoke web-01', async () => {
    process.stdout.write('held\n');
    await new Promise((resolve) => process.stdin.once('end', resolve).resume());
  });
} else {
  for (let i = 0; i < 20; i++) {
    await withHomeLock(
      home,
      'counting',
      async () => {
        const count = Number(readFileSync(counter, 'utf8'));
        await new Promise((resolve) => setTimeout(resolve, 1));
        writeFileSync(counter, String(count + 1));
      },
      { waitMs: 60_000 },
    );
  }
}
