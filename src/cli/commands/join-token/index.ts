// `zester join-token`: create, list and remove join tokens for new hosts.
import { group } from '../../command/declaration.js';

export default group({ summary: 'create, list and remove join tokens for new hosts', section: 'Peels' });
