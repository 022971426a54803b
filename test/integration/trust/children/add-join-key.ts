/**
 * Adds the first signing key for join tokens to a home, and kills itself with SIGKILL midway. argv: the home, the server's
 * URL, and the step after which it dies: `seed`, or `account` (pushed and written).
 */
import { addAccountSigningKey } from '../../../../src/account/rotate-keys.js';

const [home = '', server = '', behind = ''] = process.argv.slice(2);
/** The clock is read when the account JWT is signed, and again for `zester.json`. */
let left = behind === 'seed' ? 1 : 2;
await addAccountSigningKey(home, 'join-signing', {
  servers: [server],
  now: () => {
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
    return Date.now();
  },
});
