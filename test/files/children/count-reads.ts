// Writes many credentials into one directory, and prints how often it read a directory.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

let reads = 0;
const { readdir } = fs.promises;
fs.promises.readdir = ((...args: Parameters<typeof readdir>) => {
  reads += 1;
  return readdir(...args);
}) as typeof readdir;
syncBuiltinESMExports();

const { bootstrapPeelCreds, generateKeyBundle } = await import('../../../src/index.js');
const [directory = '', count = ''] = process.argv.slice(2);
const account = generateKeyBundle('account');
for (let i = 0; i < Number(count); i++) {
  await bootstrapPeelCreds(account, `web-${i}`, join(directory, `web-${i}.creds`));
}
process.stdout.write(`${reads}\n`);
