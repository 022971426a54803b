// Shortens input that a message quotes.
import { redactSeeds } from './redact-seeds.js';

/**
 * The beginning of a text from outside, for a message. Seeds are redacted first: the error that the message is for does
 * not recognize what is left of one.
 *
 * @param most the number of characters
 */
export function excerpt(text: string, most = 60): string {
  const redacted = redactSeeds(text);
  return redacted.length > most ? `${redacted.slice(0, most)}…` : redacted;
}
