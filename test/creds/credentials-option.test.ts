import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { givenCredentials, givenUserCredentials } from '../../src/creds/credentials-option.js';
import { loadCredsFile, parseCredsData } from '../../src/creds/parse.js';
import { writeCredsFile } from '../../src/creds/generate.js';
import { refusal } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';
import { makeCredentials } from './credentials.js';

const made = makeCredentials();
const load = () => made.text;

describe('the credentials of a connection', () => {
  it('are a path, with or without its option name, or a file: URL', () => {
    const path = '/etc/zester/web-01.creds';
    const file = { kind: 'file', path };
    expect(givenCredentials({ credentials: path })).toEqual(file);
    expect(givenCredentials({ credsPath: path })).toEqual(file);
    expect(givenCredentials({ credsPath: path, credentials: undefined })).toEqual(file);
    expect(givenCredentials({ credentials: pathToFileURL(path) })).toEqual(file);
    expect(givenCredentials({ credsPath: pathToFileURL(path) })).toEqual(file);
  });

  it('are parsed ones: from a file they are followed, from bytes they stay', async () => {
    const path = `${await tempDir()}/web-01.creds`;
    await writeCredsFile(path, made.jwt, made.seed);
    const loaded = await loadCredsFile(path);
    expect(givenCredentials({ credentials: loaded })).toEqual({ kind: 'file', path, loaded });
    const creds = parseCredsData(made.text, 'made');
    expect(givenCredentials({ credentials: creds })).toEqual({ kind: 'bytes', creds });
  });

  it('are a seed, or a provider', () => {
    expect(givenCredentials({ credentials: { seed: made.seed } })).toEqual({ kind: 'seed', seed: made.seed });
    const provider = { load };
    expect(givenCredentials({ credentials: provider })).toEqual({ kind: 'provider', provider });
  });

  it.each<[string, object, RegExp]>([
    ['none', {}, /give credentials: .*defaultCredentials/],
    ['two', { credentials: 'a', credsPath: 'a' }, /not both/],
    ['an empty path', { credentials: ' ' }, /is empty/],
    ['an empty credsPath', { credsPath: '' }, /credsPath is empty/],
    ['a number', { credentials: 42 }, /is a number/],
    ['null', { credentials: null }, /is null/],
    ['a number as the path', { credsPath: 42 }, /give the path/],
    ['credentials as the path', { credsPath: { load } }, /give the path/],
    ['a URL of the web', { credentials: new URL('https://example.com/x.creds') }, /https:/],
    ['the content of a file', { credentials: made.text }, /parseCredsData/],
    ['a seed as the path', { credentials: made.seed }, /give \{ seed \}/],
    ['a seed with a JWT', { credentials: { seed: made.seed, jwt: made.jwt } }, /another copy/],
    ['an object', { credentials: { path: 'x' } }, /not a credential/],
    ['a list', { credentials: ['x'] }, /not a credential/],
    ['a seed that is none', { credentials: { seed: 1 } }, /credentials\.seed is a number/],
    ['a provider without functions', { credentials: { load: 'x' } }, /load is a string/],
    ['a provider that stores with no function', { credentials: { load, store: true } }, /store is a boolean/],
    ['a provider that is asked too often', { credentials: { load, refreshMs: 10 } }, /at least 1000/],
    ['a provider without a time', { credentials: { load, refreshMs: NaN } }, /refreshMs/],
  ])('are refused where they are %s', async (_what, options, words) => {
    const error = await refusal('ERR_CONNECT_OPTIONS', () => givenCredentials(options), made.seed);
    expect(error.message).toMatch(words);
  });

  it('that need a JWT are not a seed alone', async () => {
    await refusal(
      'ERR_CONNECT_OPTIONS',
      () => givenUserCredentials({ credentials: { seed: made.seed } }),
      made.seed,
    );
  });
});
