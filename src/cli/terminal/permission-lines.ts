// Formats permissions one subject per line, with changes marked.
import type { PermissionOptions } from '../../jwt/permission-options.js';

/** Permissions, one subject per line; compared with the previous ones, additions have a +, removals a -. */
export function permissionLines(now: PermissionOptions, before: PermissionOptions = now): string[] {
  const lines = (['publish', 'subscribe'] as const).flatMap((what) =>
    (['allow', 'deny'] as const).flatMap((list) => {
      const is = now[what]?.[list] ?? [];
      const was = before[what]?.[list] ?? [];
      const gone = was.filter((subject) => !is.includes(subject));
      return [
        ...is.map((subject) => `${was.includes(subject) ? ' ' : '+'} ${list} ${what} ${subject}`),
        ...gone.map((subject) => `- ${list} ${what} ${subject}`),
      ];
    }),
  );
  const { responses } = now;
  return responses === undefined
    ? lines
    : [
        ...lines,
        `  responses: may publish to any subject that the sender of a message names (${responses.max === -1 ? 'any number' : responses.max} each, for ${responses.ttlSeconds ?? responses.ttl} s)`,
      ];
}
