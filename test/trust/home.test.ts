import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { campaignPath } from '../../src/cli/fleet/campaign.js';
import { homePath, userHome } from '../../src/trust/home.js';

const known = userInfo().homedir;

describe('the home directory', () => {
  it.each([
    ['is HOME', { HOME: '/srv/someone' }, '/srv/someone'],
    ['is the one that the system knows without HOME', {}, known],
    ['is the one that the system knows where HOME is empty', { HOME: '' }, known],
    ['is the one that the system knows where HOME is not absolute', { HOME: 'here' }, known],
  ])('%s', (_what, env, home) => {
    expect(userHome(env)).toBe(home);
    expect(homePath(undefined, env)).toBe(join(home, '.local/share/zester'));
    expect(campaignPath('A', { env }).directory).toBe(join(home, '.local/state/zester'));
  });

  it('is not that of a ZESTER_HOME of spaces', () => {
    const env = { HOME: '/srv/someone', ZESTER_HOME: ' ', XDG_DATA_HOME: ' ' };
    expect(homePath(undefined, env)).toBe('/srv/someone/.local/share/zester');
  });

  it('is never below the working directory, even with a relative XDG path', () => {
    for (const XDG_DATA_HOME of ['', 'relative', './x']) {
      const env = { HOME: '', XDG_DATA_HOME, XDG_STATE_HOME: XDG_DATA_HOME };
      for (const path of [homePath(undefined, env), campaignPath('A', { env }).path]) {
        expect(isAbsolute(path)).toBe(true);
        expect(path.startsWith(process.cwd())).toBe(false);
      }
    }
  });
});
