// Whether two subject patterns overlap.

/**
 * Whether a subject exists that both patterns match. `*` stands for one token, `>` at the end for one or more.
 *
 * @example subjectsOverlap('zester.*.web-01', 'zester.cmd.>') // true
 */
export function subjectsOverlap(a: string, b: string): boolean {
  const left = a.split('.');
  const right = b.split('.');
  for (let i = 0; ; i++) {
    const [x, y] = [left[i], right[i]];
    if (x === undefined || y === undefined) return x === y;
    if (x === '>' || y === '>') return true;
    if (x !== '*' && y !== '*' && x !== y) return false;
  }
}
