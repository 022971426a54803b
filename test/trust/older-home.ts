import { rm, writeFile } from 'node:fs/promises';
import { resignAccountJwt } from '../../src/jwt/resign.js';
import { openTrustDomain } from '../../src/trust/open.js';
import { writeSettings } from '../../src/trust/settings.js';

/** Makes a home as it was before there were join tokens: no seed, no key in the account, none in `zester.json`. */
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
    // no later than it was: what a test signs is to be newer
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
