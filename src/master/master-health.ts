// The health of a master: a separate file, so that a program's compiler does not load types that only masters use.

/** The health of a master. */
export interface MasterHealth {
  /** Whether there are no problems. */
  ok: boolean;
  /** Descriptions of the problems. */
  problems: string[];
}
