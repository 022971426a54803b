// `zester permissions show`: show what every peel may do.
import { command } from '../../command/declaration.js';
import { permissionLines } from '../../terminal/permission-lines.js';

export default command({
  summary: 'show the permissions of all peels',
  needs: 'home',
  notes: 'The permissions are in the template of the scoped signing key, in the account JWT.',
  examples: ['zester permissions show', 'zester permissions show --json > template.json'],
  async run(_input, { home, output }) {
    const { peelTemplate } = await import('../../../account/permissions.js');
    const template = await peelTemplate(home);
    const { role, signingKeys, permissions } = template;
    output.result([`${role}  ${signingKeys.join(' ')}`, ...permissionLines(permissions)], {
      role,
      signingKeys,
      permissions,
    });
  },
});
