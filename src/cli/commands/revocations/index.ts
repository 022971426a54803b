// `zester revocations`: list and clear revocations.
import { group } from '../../command/declaration.js';

export default group({ summary: 'list and clear revocations', section: 'Credentials and keys' });
