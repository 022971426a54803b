import { resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import type { NatsServerConfigurationOptions } from '../../nats-server/configuration.js';
import { homeOf, withHomeOption, type HomeOptions } from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

/** The options of `zester server` and of `zester server config`. */
export interface ServerOptions extends GlobalOptions, HomeOptions {
  host?: string;
  port?: string;
  httpPort?: string;
  tlsCert?: string;
  tlsKey?: string;
  tlsCa?: string;
  tlsVerify?: boolean;
  restart?: boolean;
}

/** `zester server`: the real nats-server, in the foreground. @returns the command, for `zester server config` */
export function registerServer(parent: Command, io: CliIo): Command {
  return withHomeOption(parent.command('server'))
    .description('run a nats-server that trusts this home, in the foreground, with JetStream')
    .option(
      '--host <address>',
      "the address to listen on (default: the home's server on this machine, else 127.0.0.1)",
    )
    .option('--port <port>', "the port for clients (default: that of the home's server, else 4222)")
    .option('--http-port <port>', 'a port for monitoring, on loopback only')
    .option('--tls-cert <file>', 'TLS for clients: the certificate (PEM)')
    .option('--tls-key <file>', 'its key (PEM)')
    .option('--tls-ca <file>', "the authorities of clients' and other servers' certificates (PEM)")
    .option('--tls-verify', 'ask clients for a certificate too (needs --tls-ca)')
    .option('--restart', 'start the server again when it ends by itself')
    .addHelpText(
      'after',
      `
Prints one line when it takes clients. The server's log goes to standard error and to nats-server/nats-server.log in the
home, which is put aside as nats-server.log.1 at 1 MiB. Ctrl-C and SIGTERM end the server gracefully; SIGHUP (not of a
terminal) reloads it, SIGUSR2 puts it into lame duck mode.

When the server ends by itself, the command ends with 1 and names the log. With --restart it starts the server again at
the same port: after 0.5 s, then after twice as long each time, up to 30 s, until the server has run for a minute. The
first start must work. What the server keeps is in the home, below nats-server/.

Examples:
  $ zester server
  $ zester server --restart
  $ zester server --host 0.0.0.0 --tls-cert server.crt --tls-key server.key
  $ zester server config                             the configuration, for a nats-server of your own`,
    )
    .action(async (_options, command: Command) => {
      await serve(command.optsWithGlobals<ServerOptions>(), io);
    });
}

async function serve(options: ServerOptions, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const tls = tlsOf(options);
  const port = portOf('--port', options.port);
  const httpPort = portOf('--http-port', options.httpPort);
  const { openTrustDomain } = await import('../../trust/open.js');
  const { serveTrustDomain } = await import('../../nats-server/serve.js');
  const { localEndpoint } = await import('../../nats-server/write-configuration.js');
  const { CLIENT_PORT, isLoopback } = await import('../../connection/server-urls.js');
  const domain = await openTrustDomain(homeOf(options, io));
  const local = localEndpoint(domain);
  const host = options.host ?? local?.host ?? '127.0.0.1';
  if (!isLoopback(host) && tls === undefined) {
    output.warn(
      `${host} is reached from other machines, and without --tls-cert what is sent can be read on the way`,
    );
  }
  const ending = new AbortController();
  let pass: ((signal: 'SIGHUP' | 'SIGUSR2') => void) | undefined;
  const stopListening = io.onInterrupt((signal) => {
    // a terminal that is closed sends it too, and then the server must not stay behind
    if (signal === 'SIGHUP' && !io.stderr.isTTY && pass !== undefined) pass(signal);
    else ending.abort();
  });
  const stopUsr2 = io.onSignal?.('SIGUSR2', () => pass?.('SIGUSR2'));
  try {
    const exit = await serveTrustDomain(domain, {
      host,
      port: port ?? local?.port ?? CLIENT_PORT,
      ...(httpPort !== undefined && { httpPort }),
      ...(tls && { tls }),
      signal: ending.signal,
      passSignals: (passing) => {
        pass = passing;
        return () => (pass = undefined);
      },
      onReady: (server, configuration) => {
        const { url, pid } = server;
        const line = `nats-server takes clients at ${url} (process ${pid}, configuration ${configuration})`;
        output.event(line, { event: 'ready', url, host: server.host, port: server.port, pid, configuration });
        if (tls !== undefined && domain.tls === undefined) {
          output.note(
            'the commands of this home need --tls-ca (or ZESTER_TLS_CA, or "tls" in its zester.json) where Node.js does not ' +
              `know the authority of that certificate${tls.verify === true ? ', and --tls-cert and --tls-key of their own' : ''}`,
          );
        }
      },
      onLog: (line) => output.note(line),
      restart: options.restart === true,
      onRestart: ({ message }, delayMs) =>
        output.warn(`${message}; starting it again in ${delayMs / 1000} s`),
    });
    output.event('nats-server stopped', { event: 'stopped', ...exit });
  } catch (error) {
    if (!ending.signal.aborted || error !== ending.signal.reason) throw error;
  } finally {
    stopListening();
    stopUsr2?.();
  }
}

/** The TLS options together. @throws UsageError when some that belong together are missing */
export function tlsOf(options: ServerOptions): NatsServerConfigurationOptions['tls'] {
  const { tlsCert: cert, tlsKey: key, tlsCa: ca, tlsVerify: verify } = options;
  if (cert === undefined && key === undefined && ca === undefined && verify === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new UsageError('TLS needs both --tls-cert and --tls-key');
  if (verify === true && ca === undefined) {
    throw new UsageError('--tls-verify needs --tls-ca: the authorities that the certificates come from');
  }
  // the server runs in the directory of this command, a printed configuration is used in another
  return {
    cert: resolve(cert),
    key: resolve(key),
    ...(ca !== undefined && { ca: resolve(ca) }),
    ...(verify === true && { verify }),
  };
}

/** @throws UsageError */
export function portOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!/^(-1|\d{1,5})$/.test(text) || port === 0 || port > 65_535) {
    throw new UsageError(`${option} is "${text}": give a port from 1 to 65535, or -1 for any that is free`);
  }
  return port;
}
