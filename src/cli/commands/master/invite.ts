// `zester master invite`: write a second master's home into an encrypted file.
import { command } from '../../command/declaration.js';
import { flag, repeated, requiredText, seedFile, span } from '../../command/option.js';
import { ageRecipients } from '../../options/age-recipients.js';
import { pushedLine } from '../../options/change-options.js';
import { refuseToReplace } from '../../options/new-file.js';

export default command({
  summary: "write a second master's home into an encrypted file",
  needs: 'system',
  options: {
    name: requiredText('--name <name>', "the new master's name, e.g. host-b"),
    out: requiredText('-o, --out <file>', 'the file to write'),
    recipient: repeated('-r, --recipient <age1…>', 'age recipient who can install the master; repeatable'),
    validFor: span('--valid-for <time>', 'lifetime of the invitation', '24h'),
    accountSeed: seedFile('--account-seed <file>', "the account's identity seed, if it is offline"),
    force: flag('--force', 'replace an existing file'),
  },
  notes: `
The new master gets its own name, signing keys and users, so that "zester master remove" can withdraw them without
affecting the other masters' peels. The file contains only what a master needs: no identity seed and no admin's
credentials. It does contain the operator's signing key, so anyone with the file and the age identity can act as a
master: send it, install it, and delete it. Generate the identity on the new host ("age-keygen -o key.txt").`,
  examples: [
    'zester master invite --name host-b --out host-b.age -r age1…',
    ['zester master install host-b.age -i key.txt', 'on the other host'],
  ],
  async run({ name, out, recipient, validFor, accountSeed, force }, { io, output, system, openHome }) {
    const recipients = ageRecipients(recipient);
    await refuseToReplace(out, force);
    const { home, ...options } = await system();
    const { createInvite } = await import('../../../masters/create-invite.js');
    const { auditDone } = await import('../../../backup/audit-command.js');
    const invited = await createInvite(home, out, {
      ...options,
      name,
      recipients,
      validMs: validFor,
      accountSeed,
      now: io.now,
    });
    const { keys, ownPeelKey, expiresAt, report } = invited;
    if (!ownPeelKey)
      output.warn(
        "the account's peel signing key has no role, so the new master shares this home's: removing the master will not withdraw it",
      );
    output.result(
      [
        `${out}: the master "${name}" can be installed until ${expiresAt}`,
        `its signing keys: ${pushedLine(report)}`,
      ],
      { path: out, name, expiresAt, keys, ownPeelKey, servers: report },
    );
    const isAudited = await auditDone(await openHome(), options, {
      kind: 'master.invited',
      by: 'zester master invite',
      detail: { master: name, expires: expiresAt, peelSigningKey: keys.peelSigning },
    });
    if (!isAudited) output.note('not audited: no master has run on these servers yet');
  },
});
