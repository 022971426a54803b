// `zester peel`: add, accept, inspect, rotate and revoke peels.
import { group } from '../../command/declaration.js';

export default group({ summary: 'add, accept, inspect, rotate and revoke peels', section: 'Peels' });
