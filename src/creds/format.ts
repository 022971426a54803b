// Formats a .creds file.

/**
 * The text of a `.creds` file, section by section, in the standard NATS format.
 *
 * Source: github.com/nats-io/jwt/v2, creds_utils.go.
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

/** Formats a JWT and a seed's ASCII bytes. Checks neither; `generateCredsFile` does. */
export function formatCreds(jwt: string, seed: Uint8Array): Uint8Array {
  const start = HEAD.length + jwt.length + MIDDLE.length;
  // alloc does not use the shared pool, so this memory can be wiped
  const content = Buffer.alloc(start + seed.length + TAIL.length);
  content.write(HEAD, 0, 'latin1');
  content.write(jwt, HEAD.length, 'latin1');
  content.write(MIDDLE, HEAD.length + jwt.length, 'latin1');
  content.set(seed, start);
  content.write(TAIL, start + seed.length, 'latin1');
  return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
}
