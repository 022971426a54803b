// `zester creds renew`: renew the home's own credentials.
import { UsageError } from '../../../errors.js';
import { command } from '../../command/declaration.js';
import { flag } from '../../command/option.js';
import { timeWords } from '../../terminal/time-words.js';

export default command({
  summary: "renew the home's own credentials: master, admin and system",
  needs: 'home',
  options: { due: flag('--due', 'only those of which two thirds of the life are over, as for a timer') },
  notes: `
Renews master.creds, master-answers.creds, admin.creds and system.creds with the signing keys that "zester keys add master-signing"
made, also those that have expired. Needs no server, and no identity seed. A running master renews its own, and a command renews
the admin.creds and system.creds that it uses; this is for a home that was not used for long, and for programs that use admin.creds.
Copies of the files elsewhere are not renewed.`,
  examples: ['zester creds renew', 'zester creds renew --due'],
  async run({ due }, { io, output, home, openHome }) {
    const { renewOwnCreds } = await import('../../../trust/own-creds.js');
    const domain = await openHome();
    if (domain.settings.renewal === undefined)
      throw new UsageError(
        'the credentials of this home do not expire: "zester keys add master-signing" lets them (docs/upgrading.md)',
      );
    const renewed = await renewOwnCreds(home, { force: !due, now: io.now });
    output.result(
      renewed.length === 0
        ? ['nothing is due']
        : renewed.map(({ path, expiresAt }) => `${path}: expires ${timeWords(expiresAt, io.now())}`),
      {
        renewed: renewed.map(({ user, path, publicKey, expiresAt }) => ({
          user,
          path,
          publicKey,
          expiresAt: new Date(expiresAt).toISOString(),
        })),
      },
    );
  },
});
