// The options of a nats-server: addresses and TLS.
import { resolve } from 'node:path';
import { UsageError } from '../../errors.js';
import type { NatsServerConfigurationOptions } from '../../nats-server/configuration.js';
import { flag, option, text, type ValuesOf } from '../command/option.js';

export const SERVER_OPTIONS = {
  host: text('--host <address>', "address to listen on (default: the home's, else 127.0.0.1)"),
  port: option('--port <port>', "client port, -1 for a free one (default: the home's, else 4222)", (given) =>
    portOf('--port', given),
  ),
  httpPort: option('--http-port <port>', 'monitoring port, on loopback only', (given) =>
    portOf('--http-port', given),
  ),
  tlsCert: text('--tls-cert <file>', "the server's certificate, PEM"),
  tlsKey: text('--tls-key <file>', 'the key of the certificate, PEM'),
  tlsCa: text('--tls-ca <file>', 'authorities of client and server certificates, PEM'),
  tlsVerify: flag('--tls-verify', 'require client certificates (needs --tls-ca)'),
};
export type ServerValues = ValuesOf<typeof SERVER_OPTIONS>;

/** The TLS options. @throws UsageError for an incomplete combination */
export function tlsOf(values: ServerValues): NatsServerConfigurationOptions['tls'] {
  const { tlsCert: cert, tlsKey: key, tlsCa: ca, tlsVerify: verify } = values;
  if (cert === undefined && key === undefined && ca === undefined && !verify) return undefined;
  if (cert === undefined || key === undefined)
    throw new UsageError('TLS needs both --tls-cert and --tls-key');
  if (verify && ca === undefined) {
    throw new UsageError('--tls-verify needs --tls-ca: the authorities that sign client certificates');
  }
  // the server runs in this directory, but a printed configuration may be used in another
  return {
    cert: resolve(cert),
    key: resolve(key),
    ...(ca !== undefined && { ca: resolve(ca) }),
    ...(verify && { verify }),
  };
}

/** @throws UsageError */
function portOf(name: string, given: string): number {
  const port = Number(given);
  if (!/^(-1|\d{1,5})$/.test(given) || port === 0 || port > 65_535) {
    throw new UsageError(`${name} is "${given}": use a port from 1 to 65535, or -1 for any free port`);
  }
  return port;
}
