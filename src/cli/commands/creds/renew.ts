// `zester creds renew`: renew the home's own credentials.
import { UsageError } from '../../../errors.js';
import { command } from '../../command/declaration.js';
import { flag, seedFile } from '../../command/option.js';
import { renewedDocument, renewedLine } from '../../fleet/renewed-creds.js';

export default command({
  summary: "renew the home's own credentials: master, admin and system",
  needs: 'home',
  options: {
    due: flag('--due', 'only credentials past two thirds of their lifetime, e.g. for a timer'),
    admin: flag('--admin', 'create an admin.creds in a home that has none; needs the identity seed'),
    accountSeed: seedFile(
      '--account-seed <file>',
      "with --admin: the account's identity seed, if it is offline",
    ),
  },
  notes: `
Renews master.creds, master-answers.creds, admin.creds and system.creds with the signing keys of "zester keys add
master-signing", even if they have expired. Needs neither a server nor an identity seed. A running master renews its own
credentials, and a command renews the admin.creds and system.creds that it uses; use this command in a home that has not
been used for a long time, and for programs that use admin.creds. Copies of the files elsewhere are not renewed.

An invited master's home has no admin. --admin creates one, signed by the account's identity key, for example after the
first host is lost.`,
  examples: ['zester creds renew', 'zester creds renew --due'],
  async run({ due, admin, accountSeed }, { io, output, home, openHome }) {
    const domain = await openHome();
    if (admin) {
      if (due) throw new UsageError('pass either --admin or --due, not both');
      const { makeAdminCreds } = await import('../../../masters/make-admin.js');
      const made = { user: 'admin' as const, ...(await makeAdminCreds(home, { accountSeed, now: io.now })) };
      return output.result([renewedLine(made, io.now())], { renewed: [renewedDocument(made)] });
    }
    if (accountSeed !== undefined) throw new UsageError('--account-seed is for --admin');
    const { renewOwnCreds } = await import('../../../trust/own-creds.js');
    if (domain.settings.renewal === undefined)
      throw new UsageError(
        'the credentials of this home do not expire: to change that, run "zester keys add master-signing" (docs/upgrading.md)',
      );
    const renewed = await renewOwnCreds(home, { force: !due, now: io.now });
    output.result(
      renewed.length === 0 ? ['nothing is due'] : renewed.map((one) => renewedLine(one, io.now())),
      { renewed: renewed.map(renewedDocument) },
    );
  },
});
