import { KeyRemoval } from '../../src/trust/keys/key-removal.js';

/** The permission to remove signing keys, regardless of their dependents. */
export function forcedRemoval(...publicKeys: string[]): KeyRemoval {
  const uses = new Map(publicKeys.map((key) => [key, { unknown: 'a test' }]));
  return KeyRemoval.judge('', uses, { force: true });
}
