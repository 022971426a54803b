// `zester permissions`: show, check and change what peels may do.
import { group } from '../../command/declaration.js';

export default group({
  summary: 'show, check and change the permissions of peels',
  section: 'Credentials and keys',
});
