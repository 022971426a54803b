import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadFromProvider, type CredentialProvider } from '../../src/creds/credential-provider.js';
import { defaultCredentials } from '../../src/creds/default-credentials.js';
import { refusal } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';
import { makeCredentials } from './credentials.js';

const made = makeCredentials();
let dir: string;
beforeEach(async () => {
  dir = await tempDir();
});

async function file(...path: string[]): Promise<string> {
  const full = join(dir, ...path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, made.text);
  return full;
}

describe('the default credentials', () => {
  it('are the first of: the content in the environment, a path in it, the files of a service, of the user', async () => {
    const env: Record<string, string> = { HOME: dir };
    const find = () => defaultCredentials({ env });

    const ofUser = await file('.config', 'zester', 'peel.creds');
    expect(await find()).toBe(ofUser);
    env['XDG_CONFIG_HOME'] = join(dir, 'xdg');
    const ofXdg = await file('xdg', 'zester', 'peel.creds');
    expect(await find()).toBe(ofXdg);
    env['CREDENTIALS_DIRECTORY'] = join(dir, 'credentials');
    expect(await find()).toBe(ofXdg);
    const ofSystemd = await file('credentials', 'peel.creds');
    expect(await find()).toBe(ofSystemd);
    env['STATE_DIRECTORY'] = `${join(dir, 'other')}:${join(dir, 'state')}`;
    const ofState = await file('state', 'peel.creds');
    expect(await find()).toBe(ofState);
    env['ZESTER_CREDS'] = 'named.creds';
    expect(await find()).toBe('named.creds');
    env['ZESTER_CREDS_CONTENT'] = made.text;
    expect((await loadFromProvider((await find()) as CredentialProvider)).jwt).toBe(made.jwt);
  });

  it('of an admin or a master are files of their own names', async () => {
    await file('.config', 'zester', 'peel.creds');
    const admin = await file('.config', 'zester', 'admin.creds');
    expect(await defaultCredentials({ role: 'admin', env: { HOME: dir } })).toBe(admin);
  });

  it('that exist but cannot be read are an error, not skipped', async () => {
    const loop = join(dir, 'a');
    await writeFile(loop, '');
    // a name that is too long is an error, not a missing file
    const env = { HOME: dir, STATE_DIRECTORY: join(dir, 'x'.repeat(300)) };
    await file('.config', 'zester', 'peel.creds');
    expect(await defaultCredentials({ env })).toBe(join(env.STATE_DIRECTORY, 'peel.creds'));
  });

  it('that are nowhere are refused, with every place', async () => {
    const env = { HOME: dir, ZESTER_CREDS: '', ZESTER_CREDS_CONTENT: ' ' };
    const error = await refusal('ERR_CREDS_NOT_FOUND', () => defaultCredentials({ peelId: 'web-01', env }));
    const places = ['$ZESTER_CREDS_CONTENT', '$ZESTER_CREDS', '/var/lib/zester-peel/web-01/peel.creds'];
    for (const place of [
      ...places,
      '/etc/zester/web-01.creds',
      '/etc/zester/peel.creds',
      join(dir, '.config'),
    ]) {
      expect(error.message).toContain(place);
    }
  });

  it('accept only a valid peel ID and known options', async () => {
    await refusal('ERR_PEEL_ID', () => defaultCredentials({ peelId: '../../etc/passwd' }));
    const error = await refusal('ERR_CREDS_INPUT', () => defaultCredentials({ peelID: 'web-01' } as never));
    expect(error.message).toContain('did you mean "peelId"?');
  });
});
