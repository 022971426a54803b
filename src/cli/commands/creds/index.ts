// `zester creds`: make, inspect and verify .creds files.
import { group } from '../../command/declaration.js';

export default group({ summary: 'issue, inspect and verify .creds files', section: 'Credentials and keys' });
