// Creates an age encrypter for recipients.
import { Encrypter } from 'age-encryption';
import { UsageError } from '../../errors.js';

/**
 * An age encrypter for these recipients.
 *
 * @param recipients `age1…`
 * @throws UsageError for an invalid recipient
 */
export function encrypterFor(recipients: readonly string[]): Encrypter {
  const encrypter = new Encrypter();
  for (const recipient of recipients) addRecipient(encrypter, recipient);
  return encrypter;
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  // an identity is a secret: do not repeat it, and do not derive its recipient
  if (/^AGE-SECRET-KEY-/i.test(recipient)) {
    throw new UsageError(
      'an age identity (AGE-SECRET-KEY-…) was given instead of a recipient: give its age1… recipient',
    );
  }
  try {
    encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new UsageError(`"${recipient}" is not an age recipient: give one that starts with age1`, { cause });
  }
}
