// Quotes a value from outside in a message.
import { excerpt } from './excerpt.js';

/**
 * A value as a message shows it: the beginning of a string, in quotes. The content of an object is not shown, since the
 * bytes of a seed are not recognized in it.
 */
export function quoted(value: unknown, most?: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(excerpt(value, most));
    case 'object':
      return value === null ? 'null' : 'an object';
    case 'function':
    case 'symbol':
      return `a ${typeof value}`;
    default:
      return String(value);
  }
}
