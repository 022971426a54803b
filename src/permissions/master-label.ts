// The names of masters, and the label of a signing key in an account JWT that names its master.

/** Lower-case letters, digits and hyphens: it appears in descriptions and on command lines. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

/** The master of the home that "zester init" created: its signing keys have no label. */
export const FIRST_MASTER = 'first';

/** Whether this is a valid name for a master. {@link FIRST_MASTER} is reserved. */
export function isMasterName(name: string): boolean {
  return NAME.test(name);
}

/** The master of a signing key. */
export interface MasterLabel {
  name: string;
  /** The public keys of that master's users (`U…`), which never change. */
  users: readonly string[];
}

const LABEL = /^(.*) \(master ([a-z0-9-]{1,40})(?::((?: U[A-Z2-7]{55}){1,8}))?\)$/s;

/** Adds a label to a description, or replaces it. */
export function withLabel(description: string, { name, users }: MasterLabel): string {
  const keys = users.length === 0 ? '' : `: ${users.join(' ')}`;
  return `${LABEL.exec(description)?.[1] ?? description} (master ${name}${keys})`;
}

/** The label in a signing key's description; undefined: none. */
export function labelOf(description: string | undefined): MasterLabel | undefined {
  const [, , name, users] = LABEL.exec(description ?? '') ?? [];
  if (name === undefined || !isMasterName(name)) return undefined;
  return { name, users: (users ?? '').split(' ').filter((key) => key !== '') };
}
