/**
 * Becomes an unprivileged user, then reads or writes a path. argv: `read` or `write`, the path. Prints the error's
 * code, its message and the system's code as JSON, or `null` if there is no error.
 */
import { readSmallFile } from '../../../src/files/read-small-file.js';
import { writeSecretFile } from '../../../src/files/write-secret-file.js';
import { FileError } from '../../../src/errors.js';

const [what, path = ''] = process.argv.slice(2);
process.setgid?.(65534);
process.setuid?.(65534);
try {
  if (what === 'read') await readSmallFile(path, 100);
  else await writeSecretFile(path, Buffer.from('new'));
  process.stdout.write('null\n');
} catch (error) {
  const { code, message, cause } = error as FileError;
  const known = error instanceof FileError;
  process.stdout.write(
    `${JSON.stringify({ known, code, message, system: (cause as NodeJS.ErrnoException).code })}\n`,
  );
}
