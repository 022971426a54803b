// The name of a master, and the label by which an account JWT says whose a signing key is.

/** Lower-case letters, digits and hyphens: it stands in a description that people read, and in a command line. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

/** The master of the home that "zester init" made: its signing keys have no label. */
export const FIRST_MASTER = 'first';

/** Whether masters may be called that. {@link FIRST_MASTER} is taken. */
export function isMasterName(name: string): boolean {
  return NAME.test(name);
}

/** Whose a signing key is. */
export interface MasterLabel {
  name: string;
  /** The public keys of the users of that master (`U…`): they never change. */
  users: readonly string[];
}

const LABEL = /^(.*) \(master ([a-z0-9-]{1,40})(?::((?: U[A-Z2-7]{55}){1,8}))?\)$/s;

/** A description with a label. */
export function withLabel(description: string, { name, users }: MasterLabel): string {
  const keys = users.length === 0 ? '' : `: ${users.join(' ')}`;
  return `${LABEL.exec(description)?.[1] ?? description} (master ${name}${keys})`;
}

/** The label of a signing key's description; undefined: it has none. */
export function labelOf(description: string | undefined): MasterLabel | undefined {
  const [, , name, users] = LABEL.exec(description ?? '') ?? [];
  if (name === undefined || !isMasterName(name)) return undefined;
  return { name, users: (users ?? '').split(' ').filter((key) => key !== '') };
}
