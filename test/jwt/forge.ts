import type { KeyBundle } from '../../src/index.js';

/** The claims and header of a token, unchecked. */
export function partsOf(jwt: string): { header: Record<string, unknown>; claims: Record<string, unknown> } {
  const [header = '', payload = ''] = jwt.split('.');
  const parse = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  return { header: parse(header), claims: parse(payload) };
}

/** Signs any header and any claims, like a key holder who breaks the rules. */
export function forge(
  claims: unknown,
  signer: KeyBundle,
  header: unknown = { typ: 'JWT', alg: 'ed25519-nkey' },
): string {
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${Buffer.from(signer.sign(signed)).toString('base64url')}`;
}

/** The same token with its claims changed and signed again. */
export function reforge(
  jwt: string,
  signer: KeyBundle,
  change: (claims: Record<string, unknown> & { nats: Record<string, unknown> }) => unknown,
): string {
  const { claims } = partsOf(jwt);
  const changed = change(claims as Record<string, unknown> & { nats: Record<string, unknown> });
  return forge(changed ?? claims, signer);
}

/** The same token with its claims changed and the old signature kept. */
export function alter(jwt: string, change: (claims: Record<string, unknown>) => void): string {
  const [header = '', , signature = ''] = jwt.split('.');
  const { claims } = partsOf(jwt);
  change(claims);
  return `${header}.${part(claims)}.${signature}`;
}

/** One part of a token: JSON as base64url. */
export function part(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}
