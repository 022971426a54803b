// Writes a file for each name on its standard input, only if it is absent, and prints the result.
import { createInterface } from 'node:readline';
import { ZesterError } from '../../../src/errors.js';
import { writeSecretFile } from '../../../src/files/write-secret-file.js';

const own = `written by ${process.pid}`;
process.stdout.write(`${own}\n`);
for await (const path of createInterface({ input: process.stdin })) {
  try {
    await writeSecretFile(path, Buffer.from(own), { ifAbsent: true });
    process.stdout.write(`${'written'}\n`);
  } catch (error) {
    if (!(error instanceof ZesterError)) throw error;
    process.stdout.write(`${error.code}\n`);
  }
}
