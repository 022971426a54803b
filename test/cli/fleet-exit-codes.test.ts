import { expect, it } from 'vitest';
import { exitCodeOf } from '../../src/cli/terminal/exit-codes.js';
import { FleetError, type FleetErrorCode } from '../../src/errors.js';

it.each<[number, FleetErrorCode[]]>([
  [
    4,
    [
      'ERR_FLEET_NO_MASTER',
      'ERR_FLEET_TIMEOUT',
      'ERR_FLEET_NOT_CONNECTED',
      'ERR_FLEET_STORE',
      'ERR_FLEET_UNCONFIRMED',
    ],
  ],
  [
    3,
    [
      'ERR_FLEET_DENIED',
      'ERR_FLEET_REJECTED',
      'ERR_FLEET_REVOKED',
      'ERR_FLEET_PENDING',
      'ERR_FLEET_ID_TAKEN',
      'ERR_FLEET_KEY_TAKEN',
      'ERR_FLEET_KEY_UNKNOWN',
      'ERR_FLEET_TOKEN_UNKNOWN',
      'ERR_FLEET_TOKEN_EXPIRED',
      'ERR_FLEET_TOKEN_USED_UP',
      'ERR_FLEET_TOKEN_ID',
      'ERR_FLEET_CHALLENGE',
      'ERR_FLEET_PROOF',
      'ERR_FLEET_CLOCK',
      'ERR_FLEET_REPLAY',
      'ERR_FLEET_RATE',
      'ERR_FLEET_STATE',
      'ERR_FLEET_UNKNOWN_PEEL',
    ],
  ],
  [
    1,
    ['ERR_FLEET_INTERNAL', 'ERR_FLEET_ANSWER', 'ERR_FLEET_CONFIG', 'ERR_FLEET_RECORD', 'ERR_FLEET_HANDLER'],
  ],
])('a command exits with %i for %j', (exitCode, codes) => {
  for (const code of codes) expect(exitCodeOf(new FleetError(code, 'said')), code).toBe(exitCode);
});
