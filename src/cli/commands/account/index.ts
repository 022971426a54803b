// `zester account`: compare and push the fleet's account.
import { group } from '../../command/declaration.js';

export default group({ summary: "compare and push the fleet's account", section: 'Credentials and keys' });
