/**
 * Gives a home the signing key of join tokens, and kills itself with SIGKILL on the way. argv: the home, the server's URL,
 * and behind what: the `seed`, or the `account`, which is pushed and written then.
 */
import { ensureJoinSigningKey } from '../../../../src/account/rotate-keys.js';

const [home = '', server = '', behind = ''] = process.argv.slice(2);
/** The clock is read when the account JWT is signed, and again for `zester.json`. */
let left = behind === 'seed' ? 1 : 2;
await ensureJoinSigningKey(home, {
  servers: [server],
  now: () => {
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
    return Date.now();
  },
});
