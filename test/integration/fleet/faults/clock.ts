/**
 * What Node.js is given so that the clock of a program is off by so many milliseconds: everything that a program of
 * JavaScript reads of the clock is `Date`. What it waits for is measured by another clock, as on a real machine.
 */
export function clockOff(ms: number): string[] {
  const source = `const D = Date; globalThis.Date = class extends D {
    constructor(...args) { if (args.length === 0) super(D.now() + ${ms}); else super(...args); }
    static now() { return D.now() + ${ms}; }
  };`;
  return ['--import', `data:text/javascript,${encodeURIComponent(source)}`];
}
