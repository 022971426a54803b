import {
  createUserJwt,
  generateCredsFile,
  generateKeyBundle,
  type KeyBundle,
  type NatsOptions,
  type UserJwtOptions,
} from '../../src/index.js';

/** A user's credentials and the text of their file. */
export interface Credentials {
  account: KeyBundle;
  user: KeyBundle;
  jwt: string;
  seed: string;
  text: string;
}

/** Makes credentials of a new user of a new account. */
export function makeCredentials(options: Partial<UserJwtOptions> = {}): Credentials {
  const account = generateKeyBundle('account');
  const user = generateKeyBundle('user');
  const jwt = createUserJwt(user, account, { name: 'web-01', ...options });
  return { account, user, jwt, seed: text(user.seed), text: text(generateCredsFile(jwt, user.seed)) };
}

/** The two sections of a file, without its banner. */
export function sectionsOf({ jwt, seed }: Credentials): { jwtSection: string; seedSection: string } {
  return {
    jwtSection: `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n`,
    seedSection: `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
  };
}

/** ASCII bytes as text. */
export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** Does what a client does with the options when the server sends its nonce. */
export function authenticate(options: NatsOptions, nonce?: string): Record<string, string> | undefined {
  const { authenticator } = options;
  if (typeof authenticator !== 'function') throw new Error('one authenticator was expected');
  return authenticator(nonce) as Record<string, string> | undefined;
}
