// The health of a master: a type of its own, so that a program's compiler does not look for what only masters use.

/** How a master is. */
export interface MasterHealth {
  /** Whether there are no problems. */
  ok: boolean;
  /** What is wrong, in words. */
  problems: string[];
}
