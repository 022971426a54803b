/**
 * Scans a directory as fast as it can, and records the mode of every entry, and whether the file of interest is ever
 * incomplete.
 *
 * argv: directory, name of the file, number of temporary files to see. Prints `ready`, then `enough`, and
 * one line of JSON when its standard input ends.
 */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

const [directory = '', name = '', wanted = ''] = process.argv.slice(2);
const modes = new Set<string>();
const temporaries = new Set<string>();
let torn = 0;
let looks = 0;
let done = false;
process.stdin.on('end', () => (done = true)).resume();
process.stdout.write('ready\n');

let isAnnounced = false;
while (!done) {
  looks++;
  for (const entry of readdirSync(directory)) {
    const path = join(directory, entry);
    try {
      const found = lstatSync(path);
      modes.add((found.mode & 0o7777).toString(8));
      if (entry !== name) temporaries.add(entry);
    } catch (error) {
      // renamed or removed since it was listed
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  const content = readFileSync(join(directory, name), 'latin1');
  // complete content is one repeated letter, and an end marker
  if (!/^(.)\1{9999}\n$/.test(content)) torn++;
  if (!isAnnounced && temporaries.size >= Number(wanted)) {
    isAnnounced = true;
    process.stdout.write('enough\n');
  }
  await setImmediate();
}
process.stdout.write(
  `${JSON.stringify({ looks, modes: [...modes], temporaries: temporaries.size, torn })}\n`,
);
