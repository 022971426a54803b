/**
 * Rewrites a file repeatedly with one repeated letter and an end marker. argv: path, number of rewrites, number of
 * letters. Prints a line after each rewrite.
 */
import { writeSecretFile } from '../../../src/files/write-secret-file.js';

const [path = '', times = '', size = ''] = process.argv.slice(2);
for (let i = 0; i < Number(times); i++) {
  const letter = String.fromCharCode(97 + (i % 26));
  await writeSecretFile(path, Buffer.from(`${letter.repeat(Number(size))}\n`));
  process.stdout.write(`${i + 1}\n`);
}
