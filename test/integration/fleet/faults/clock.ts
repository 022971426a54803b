/**
 * Arguments for Node.js that offset a program's clock by this many milliseconds. JavaScript programs read the clock
 * only through `Date`. Their timers use another clock, as on a real machine.
 */
export function clockOff(ms: number): string[] {
  const source = `const D = Date; globalThis.Date = class extends D {
    constructor(...args) { if (args.length === 0) super(D.now() + ${ms}); else super(...args); }
    static now() { return D.now() + ${ms}; }
  };`;
  return ['--import', `data:text/javascript,${encodeURIComponent(source)}`];
}
