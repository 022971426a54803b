// Encrypts with age.
import { Encrypter } from 'age-encryption';
import { UsageError } from '../../errors.js';

/**
 * Encrypts with age, to recipients.
 *
 * @param recipients `age1…`
 * @throws UsageError for what is not a recipient
 */
export function encrypterFor(recipients: readonly string[]): Encrypter {
  const encrypter = new Encrypter();
  for (const recipient of recipients) addRecipient(encrypter, recipient);
  return encrypter;
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  // an identity is the secret that decrypts: do not repeat it, and do not derive its recipient
  if (/^AGE-SECRET-KEY-/i.test(recipient)) {
    throw new UsageError(
      'an age identity (AGE-SECRET-KEY-…) was given where a recipient belongs: give its age1… recipient',
    );
  }
  try {
    encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new UsageError(`"${recipient}" is not an age recipient: give one that starts with age1`, { cause });
  }
}
