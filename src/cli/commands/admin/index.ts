// `zester admin`: add, list and remove admins.
import { group } from '../../command/declaration.js';

export default group({
  summary: 'add, list and remove admins, each with a role',
  section: 'Credentials and keys',
});
