import { rm, writeFile } from 'node:fs/promises';
import { writeCredsFile } from '../../src/creds/generate.js';
import { loadCredsFile } from '../../src/creds/parse.js';
import type { UserPermissionLimits } from '../../src/jwt/claims.js';
import { resignAccountJwt } from '../../src/jwt/resign.js';
import { createUserJwt } from '../../src/jwt/user.js';
import { loadKeyBundle } from '../../src/nkeys/key-bundle.js';
import { openTrustDomain } from '../../src/trust/open.js';
import { writeSettings } from '../../src/trust/settings.js';

/** Makes a home like one that predates join tokens: no seed, no key in the account, none in `zester.json`. */
export async function withoutJoinKey(home: string): Promise<void> {
  const { paths, settings, accountJwt, ...domain } = await openTrustDomain(home);
  const signer = await (await openTrustDomain(home)).operatorSigningKey();
  const jwt = resignAccountJwt(
    accountJwt,
    signer,
    (claims) => ({
      ...claims,
      nats: {
        ...claims.nats,
        signing_keys: (claims.nats.signing_keys ?? []).filter(
          (key) => typeof key === 'string' || key.key !== domain.publicKeys.joinSigning,
        ),
      },
    }),
    // no later than it was: JWTs that a test signs must be newer
    { now: () => 0 },
  );
  await writeFile(paths.accountJwt, `${jwt}\n`, { mode: 0o600 });
  const { operator, account } = settings;
  await writeSettings(paths.settings, {
    ...settings,
    operator,
    account: { name: account.name, publicKey: account.publicKey, peelSigningKey: account.peelSigningKey },
  });
  await rm(paths.joinSigningSeed, { force: true });
}

/** The template of peels from before they lost `responses`, with added grants. */
export const OLDER_PEEL_TEMPLATE: UserPermissionLimits = {
  pub: {
    allow: [
      'zester.event.{{name()}}.>',
      'zester.fact.{{name()}}',
      'zester.job.*.ack.{{name()}}',
      'zester.job.*.return.{{name()}}',
      'zester.auth.{{name()}}.>',
      '_INBOX.{{name()}}.>',
      'plant.{{name()}}.>',
    ],
  },
  sub: {
    allow: ['zester.cmd.{{name()}}', 'zester.cmd.{{name()}}.>', 'zester.job.*.cancel', '_INBOX.{{name()}}.>'],
  },
  resp: { max: 1, ttl: 300e9 },
  subs: -1,
  data: -1,
  payload: -1,
};

/** Makes a home like one from before peels lost `responses`: the template, and the grants of master and admin. */
export async function withResponses(home: string): Promise<void> {
  const domain = await openTrustDomain(home);
  const { paths, publicKeys } = domain;
  const signer = await domain.operatorSigningKey();
  const jwt = resignAccountJwt(
    domain.accountJwt,
    signer,
    (claims) => ({
      ...claims,
      nats: {
        ...claims.nats,
        signing_keys: (claims.nats.signing_keys ?? []).map((key) =>
          typeof key !== 'string' && key.key === publicKeys.peelSigning
            ? { ...key, template: OLDER_PEEL_TEMPLATE }
            : key,
        ),
      },
    }),
    { now: () => 0 },
  );
  await writeFile(paths.accountJwt, `${jwt}\n`, { mode: 0o600 });
  const account = await domain.accountKey();
  for (const path of [paths.masterCreds, paths.adminCreds]) {
    const creds = await loadCredsFile(path);
    const user = loadKeyBundle('user', creds.seed);
    const { name = '', nats, iat } = creds.claims;
    const older = createUserJwt(user, account, {
      name,
      now: () => iat * 1000,
      permissions: {
        publish: { allow: [...(nats.pub?.allow ?? []), '_INBOX._zester-older.>'] },
        subscribe: { allow: [...(nats.sub?.allow ?? [])] },
      },
    });
    await writeCredsFile(path, older, creds.seed);
  }
}
