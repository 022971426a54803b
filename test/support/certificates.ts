import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from './temp-dir.js';

/** The paths of PEM files. */
export interface TlsFiles {
  ca: string;
  /** For `127.0.0.1` and `localhost`. */
  cert: string;
  key: string;
  clientCert: string;
  clientKey: string;
}

/**
 * Makes an authority, a server's and a client's certificate, valid for a day. Node makes no certificates, and a test
 * should not need a program for it that may not be there.
 */
export async function createTlsFiles(): Promise<TlsFiles> {
  const dir = await tempDir();
  const authority = newKey();
  const ca = certificate('test-ca', authority.publicKey, 'test-ca', authority.privateKey, true);
  const write = async (name: string, pem: string) => {
    const path = join(dir, name);
    await writeFile(path, pem, { mode: 0o600 });
    return path;
  };
  const issue = async (name: string) => {
    const { publicKey, privateKey } = newKey();
    return {
      cert: await write(`${name}.crt`, certificate(name, publicKey, 'test-ca', authority.privateKey, false)),
      key: await write(`${name}.key`, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()),
    };
  };
  const server = await issue('server');
  const client = await issue('client');
  return {
    ca: await write('ca.crt', ca),
    ...server,
    clientCert: client.cert,
    clientKey: client.key,
  };
}

function newKey(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

// X.509 in DER, no more of it than a TLS library asks for (RFC 5280, 4.1).

function certificate(
  subject: string,
  publicKey: KeyObject,
  issuer: string,
  issuerKey: KeyObject,
  isAuthority: boolean,
): string {
  const algorithm = sequence(oid('2a8648ce3d040302')); // ecdsa-with-SHA256
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(15)]);
  const extensions = isAuthority
    ? [extension('551d13', sequence(der(0x01, Buffer.from([0xff]))), true)] // basicConstraints: CA
    : [
        extension(
          '551d11', // subjectAltName
          sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1]))),
        ),
      ];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, serial),
    algorithm,
    name(issuer),
    sequence(time(Date.now() - 3_600_000), time(Date.now() + 86_400_000)),
    name(subject),
    publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, issuerKey);
  const whole = sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const base64 = (whole.toString('base64').match(/.{1,64}/g) ?? []).join('\n');
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function name(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))));
}

/** UTCTime: YYMMDDhhmmssZ. */
function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}
