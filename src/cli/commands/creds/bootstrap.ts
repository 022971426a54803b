// `zester creds bootstrap`: issue a complete .creds file for a peel.
import type { BootstrapPeelOptions } from '../../../creds/bootstrap.js';
import { isoTime } from '../../../jwt/time.js';
import type { TrustDomain } from '../../../trust/domain.js';
import { checkSigner, SIGNER_OPTIONS } from '../../bulk/issuer-options.js';
import { command } from '../../command/declaration.js';
import { argument, flag, lifetime, text } from '../../command/option.js';
import { refuseToReplace } from '../../options/new-file.js';
import { table } from '../../terminal/output.js';
import { timeWordsAndDate } from '../../terminal/time-words.js';

export default command({
  summary: 'issue a .creds file for a peel',
  needs: 'home',
  arguments: { peelId: argument('one NATS token: letters, digits, _ and -') },
  options: {
    out: text('-o, --out <file>', 'the file to write, mode 0600 (default: <peelId>.creds)'),
    expiry: lifetime('--expiry <time>', 'lifetime, e.g. 24h, or a date (default: never)'),
    ...SIGNER_OPTIONS,
    force: flag('--force', 'replace an existing file'),
  },
  notes: `
The home's peel signing key signs the credential, so its permissions are in the account and can be changed there. The
home records the public key, so that "zester revoke" can find it by peel ID. With --account-seed, no home is needed.`,
  examples: [
    'zester creds bootstrap web-server-01',
    'zester creds bootstrap web-server-01 --expiry 7d --out /etc/zester/web-server-01.creds',
    'zester creds bootstrap web-server-01 --account-seed account.seed --expiry 24h --force',
    'zester creds bootstrap web-server-01 --account-seed peel-signing.seed --issuer-account A… --scoped',
  ],
  async run({ peelId, out, expiry, force, ...signer }, { io, output, openHome }) {
    (await import('../../../permissions/peel-id.js')).validatePeelId(peelId); // checked before it becomes part of a path
    checkSigner(signer);
    const { accountSeed, issuerAccount, scoped } = signer;
    const path = out ?? `${peelId}.creds`;
    await refuseToReplace(path, force);
    const options = { now: io.now, ifAbsent: force !== true, ...(expiry !== undefined && { expiry }) };
    const { decodeUserJwt } = await import('../../../jwt/decode.js');
    const { user, jwt } =
      accountSeed === undefined
        ? await fromHome(await openHome(), peelId, path, options)
        : await fromSeed(accountSeed, peelId, path, {
            ...options,
            ...(issuerAccount !== undefined && { issuerAccount }),
            ...(scoped !== undefined && { scoped }),
          });
    user.wipe();
    const { exp, iat, iss, nats } = decodeUserJwt(jwt);
    const account = nats.issuer_account ?? iss;
    const isScoped = accountSeed === undefined || scoped === true;
    const permissions = isScoped ? 'from the template of the scoped signing key' : "the peel's own subjects";
    output.result(
      [
        `wrote ${path}`,
        ...table([
          ['peel', peelId],
          ['public key', output.key(user.publicKey)],
          ['account', output.key(account)],
          ...(account === iss ? [] : [['signed by', output.key(iss)] as const]),
          ['permissions', permissions],
          ['expires', exp === undefined ? 'never' : timeWordsAndDate(exp * 1000, iat * 1000)],
        ]),
      ],
      {
        path,
        peelId,
        publicKey: user.publicKey,
        issuer: iss,
        account,
        scoped: isScoped,
        expiresAt: exp === undefined ? null : isoTime(exp),
      },
    );
    output.note(`${path} holds a seed (mode 0600): treat it like a password`);
  },
});

async function fromHome(domain: TrustDomain, peelId: string, path: string, options: BootstrapPeelOptions) {
  return domain.issuePeel(peelId, path, options);
}

async function fromSeed(seedFile: string, peelId: string, path: string, options: BootstrapPeelOptions) {
  const { loadKeyBundleFromFile } = await import('../../../creds/load-key-bundle.js');
  const { bootstrapPeelCreds } = await import('../../../creds/bootstrap.js');
  const account = await loadKeyBundleFromFile('account', seedFile);
  try {
    return await bootstrapPeelCreds(account, peelId, path, options);
  } finally {
    account.wipe();
  }
}
