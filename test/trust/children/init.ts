/**
 * Creates a trust domain, and kills itself with SIGKILL after a given number of steps. argv: the home, the number of
 * steps. -1 is before any step, once the home is locked.
 */
import { createTrustDomain } from '../../../src/trust/create/create.js';

const [home = '', count = '0'] = process.argv.slice(2);
let steps = 0;
await createTrustDomain(home, {
  operatorName: 'acme',
  onStep: () => {
    steps += 1;
    if (steps === Number(count)) process.kill(process.pid, 'SIGKILL');
  },
});
