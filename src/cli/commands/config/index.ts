// `zester config`: show the configuration of masters and peels.
import { group } from '../../command/declaration.js';

export default group({ summary: 'show the configuration of masters and peels', section: 'Check' });
