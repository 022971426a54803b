// The expiry times of a home's JWTs, credentials and certificates.
import { X509Certificate } from 'node:crypto';
import { loadCredsFile } from '../creds/parse.js';
import { readSmallFile } from '../files/read-small-file.js';
import { decodeAccountJwt, decodeOperatorJwt } from '../jwt/decode.js';
import { expiryTime } from '../jwt/expiry.js';
import type { TrustDomain } from './domain.js';
import { pathExists } from './private-files.js';

/** The items of a home that may expire. */
export type HomeExpiry =
  | 'operator_jwt'
  | 'account_jwt'
  | 'system_account_jwt'
  | 'master_creds'
  | 'master_answers_creds'
  | 'system_creds'
  | 'admin_creds'
  | 'tls_ca'
  | 'tls_certificate';

/**
 * The expiry time of each item of a home, in milliseconds since 1970; `Infinity`: never. Omits missing and unreadable
 * items, which the code that uses them reports. For a file with several certificates, the earliest time.
 */
export async function homeExpiries(domain: TrustDomain): Promise<Map<HomeExpiry, number>> {
  const { paths, tls } = domain;
  const expiries = new Map<HomeExpiry, number>([
    ['operator_jwt', expiryTime(decodeOperatorJwt(domain.operatorJwt)) ?? Infinity],
    ['account_jwt', expiryTime(domain.accountClaims) ?? Infinity],
    ['system_account_jwt', expiryTime(decodeAccountJwt(domain.systemAccountJwt)) ?? Infinity],
  ]);
  const files = [
    ['master_creds', paths.masterCreds],
    ['master_answers_creds', paths.masterAnswersCreds],
    ['system_creds', paths.systemCreds],
    ['admin_creds', paths.adminCreds],
  ] as const;
  for (const [name, path] of files) {
    const expiry = pathExists(path) ? await credsExpiry(path).catch(() => undefined) : undefined;
    if (expiry !== undefined) expiries.set(name, expiry);
  }
  for (const [name, path] of [
    ['tls_ca', tls?.caFile],
    ['tls_certificate', tls?.certFile],
  ] as const) {
    const expiry = path === undefined ? undefined : await certificateExpiry(path).catch(() => undefined);
    if (expiry !== undefined) expiries.set(name, expiry);
  }
  return expiries;
}

/** The limit allows for a CA bundle, which is larger than any certificate. */
const MAX_PEM_BYTES = 1024 * 1024;

async function credsExpiry(path: string): Promise<number> {
  const creds = await loadCredsFile(path);
  creds.wipe();
  return expiryTime(creds.claims) ?? Infinity;
}

async function certificateExpiry(path: string): Promise<number | undefined> {
  const pem = Buffer.from(await readSmallFile(path, MAX_PEM_BYTES)).toString('latin1');
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const times = found.map((certificate) => Date.parse(new X509Certificate(certificate).validTo));
  return times.length === 0 ? undefined : Math.min(...times);
}
