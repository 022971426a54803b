/** Claims a directory and holds it until it is killed. */
import { claim } from '../../../src/files/claim.js';

await claim(process.argv[2] as string);
process.stdout.write('held\n');
setInterval(() => undefined, 1_000);
