import { asciiBytes } from '../nkeys/encoding.js';

/**
 * The text of a `.creds` file, section by section as the specification gives it.
 *
 * Source: the project's specification ("File Format"); it is the standard NATS format (jwt/v2, creds_utils.go).
 */
const HEAD = '-----BEGIN NATS USER JWT-----\n';
const MIDDLE = `
------END NATS USER JWT------

************************* IMPORTANT *************************
  NKEY Seed printed below can be used to sign and prove identity.
  NKEYs are sensitive and should be treated as secrets.

-----BEGIN USER NKEY SEED-----
`;
const TAIL = `
------END USER NKEY SEED------

*************************************************************
`;

const MIDDLE_BYTES = asciiBytes(MIDDLE);
const TAIL_BYTES = asciiBytes(TAIL);

/** Puts a JWT and a seed's ASCII bytes into a file's bytes. It checks neither: `generateCredsFile` does. */
export function formatCreds(jwt: string, seed: Uint8Array): Uint8Array {
  const head = asciiBytes(HEAD + jwt);
  const content = new Uint8Array(head.length + MIDDLE_BYTES.length + seed.length + TAIL_BYTES.length);
  content.set(head);
  content.set(MIDDLE_BYTES, head.length);
  content.set(seed, head.length + MIDDLE_BYTES.length);
  content.set(TAIL_BYTES, head.length + MIDDLE_BYTES.length + seed.length);
  return content;
}
