// Reads and validates the TLS files.
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ConnectError } from '../errors.js';
import { readSmallFile } from '../files/read-small-file.js';
import { errorMessage } from '../text/error-message.js';
import type { TlsFilesOptions } from './connect-plan.js';

const MAX_TLS_FILE_BYTES = 1024 * 1024;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;

/** The content of the TLS files. */
interface TlsFileContents {
  ca: Buffer | undefined;
  cert: Buffer | undefined;
  key: Buffer | undefined;
}

/**
 * Reads the TLS files. The client would read them without a size limit, and block on a named pipe.
 *
 * @throws ConnectError `ERR_CONNECT_TLS_FILE`
 */
export async function readTlsFiles(tls: TlsFilesOptions): Promise<TlsFileContents> {
  return {
    ca: await readPem('CA certificate', tls.caFile),
    cert: await readPem('client certificate', tls.certFile),
    key: await readPem('client key', tls.keyFile),
  };
}

/**
 * Checks that the TLS files exist, are valid, and match each other. They are read again at each connect.
 *
 * @throws ConnectError `ERR_CONNECT_TLS_FILE`
 */
export async function checkTlsFiles(tls: TlsFilesOptions | undefined): Promise<void> {
  const { caFile, certFile, keyFile } = tls ?? {};
  const { ca, cert, key } = await readTlsFiles(tls ?? {});
  try {
    // Node.js ignores authorities that it cannot parse, and then trusts none
    if (ca !== undefined) checkCertificates(ca);
    if (cert !== undefined || key !== undefined) {
      createSecureContext({ ...(tls as SecureContextOptions), ca, cert, key });
    }
  } catch (cause) {
    const files = [caFile, certFile, keyFile].filter((file) => file !== undefined).join(', ');
    throw tlsFileError(`the TLS files cannot be used (${files}): ${errorMessage(cause)}`, cause);
  } finally {
    key?.fill(0);
  }
}

function checkCertificates(pem: Buffer): void {
  const found = pem.toString('latin1').match(CERTIFICATE) ?? [];
  if (found.length === 0) throw new Error('the CA file contains no certificate');
  for (const certificate of found) new X509Certificate(certificate);
}

async function readPem(what: string, path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  const content = await readSmallFile(path, MAX_TLS_FILE_BYTES).catch((cause: unknown) => {
    throw tlsFileError(`the ${what} cannot be read: ${errorMessage(cause)}`, cause);
  });
  const pem = Buffer.from(content.buffer, content.byteOffset, content.length);
  if (pem.includes('-----BEGIN ')) return pem;
  pem.fill(0);
  throw tlsFileError(`${path}, the ${what}, is not a PEM file`);
}

function tlsFileError(message: string, cause?: unknown): ConnectError {
  return new ConnectError('ERR_CONNECT_TLS_FILE', message, { cause });
}
