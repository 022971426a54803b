/** Writes the files of argv as pairs of umask (octal) and path, and prints their modes as JSON. */
import { stat } from 'node:fs/promises';
import { writeSecretFile } from '../../../src/files/write-secret-file.js';

const modes: string[] = [];
const [...rest] = process.argv.slice(2);
while (rest.length > 0) {
  const [umask = '', path = ''] = rest.splice(0, 2);
  process.umask(parseInt(umask, 8));
  await writeSecretFile(path, Buffer.from('x'));
  modes.push(((await stat(path)).mode & 0o7777).toString(8));
}
process.stdout.write(`${JSON.stringify(modes)}\n`);
