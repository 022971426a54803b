// `zester keys`: generate, list and rotate keys.
import { group } from '../../command/declaration.js';

export default group({ summary: 'generate, list and rotate keys', section: 'Credentials and keys' });
