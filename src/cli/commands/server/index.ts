// `zester server`: run a nats-server that trusts this home.
import { command } from '../../command/declaration.js';
import type { HomeContext } from '../../command/context.js';
import { flag } from '../../command/option.js';
import { SERVER_OPTIONS, tlsOf } from '../../options/server-options.js';
import type { RunningNatsServer } from '../../../nats-server/run.js';

export default command({
  summary: 'run a nats-server that trusts this home',
  section: 'Start here',
  needs: 'home',
  options: { ...SERVER_OPTIONS, restart: flag('--restart', 'restart the server if it stops by itself') },
  notes: `
The server runs in the foreground, with JetStream. The log goes to standard error and to nats-server/nats-server.log in
the home. Ctrl-C and SIGTERM stop it gracefully, SIGHUP (unless from a terminal) reloads it, and SIGUSR2 starts lame
duck mode.

If the server stops by itself, the command exits with 1 and names the log; --restart restarts it at the same port, with
backoff from 0.5 to 30 s. The first start must succeed. After a full disk, JetStream may not write again until a
restart: once the disk has room, the command restarts the server, with or without --restart.`,
  examples: [
    'zester server',
    'zester server --host 0.0.0.0 --tls-cert server.crt --tls-key server.key',
    ['zester server config', 'the configuration, for your own nats-server'],
  ],
  async run(values, context) {
    const { output, openHome } = context;
    const { port, httpPort, restart } = values;
    const tls = tlsOf(values);
    const { serveTrustDomain } = await import('../../../nats-server/serve.js');
    const { localEndpoint } = await import('../../../nats-server/write-configuration.js');
    const { CLIENT_PORT, isLoopback } = await import('../../../connection/server-urls.js');
    const domain = await openHome();
    const local = localEndpoint(domain);
    const host = values.host ?? local?.host ?? '127.0.0.1';
    if (!isLoopback(host) && tls === undefined) {
      output.warn(`${host} is reachable from other machines; without --tls-cert, traffic is not encrypted`);
    }
    const signals = listen(context);
    try {
      const exit = await serveTrustDomain(domain, {
        host,
        port: port ?? local?.port ?? CLIENT_PORT,
        ...(httpPort !== undefined && { httpPort }),
        ...(tls && { tls }),
        signal: signals.ending,
        passSignals: signals.passTo,
        onReady: (server, configuration) => {
          ready(server, configuration, context);
          if (tls !== undefined && domain.tls === undefined) output.note(clientTlsNote(tls.verify === true));
        },
        onLog: (line) => output.note(line),
        restart,
        onStorageFailure: (reason) =>
          output.warn(
            `JetStream has stopped writing; the server is restarted once the disk has room: ${reason}`,
          ),
        onRestart: ({ message }, delayMs) => output.warn(`${message}; restarting it in ${delayMs / 1000} s`),
      });
      output.event('nats-server stopped', { event: 'stopped', ...exit });
    } catch (error) {
      if (!signals.ending.aborted || error !== signals.ending.reason) throw error;
    } finally {
      signals.stop();
    }
  },
});

type Pass = (signal: 'SIGHUP' | 'SIGUSR2') => void;

/** The signals that stop the server, and those that are passed on to it. */
function listen({ io }: HomeContext): {
  ending: AbortSignal;
  passTo: (passing: Pass) => () => void;
  stop: () => void;
} {
  const ending = new AbortController();
  let pass: Pass | undefined;
  const stopListening = io.onInterrupt((signal) => {
    // a closed terminal sends it too, and must not leave the server running
    if (signal === 'SIGHUP' && !io.stderr.isTTY && pass !== undefined) pass(signal);
    else ending.abort();
  });
  const stopUsr2 = io.onSignal?.('SIGUSR2', () => pass?.('SIGUSR2'));
  return {
    ending: ending.signal,
    passTo: (passing) => {
      pass = passing;
      return () => (pass = undefined);
    },
    stop: () => {
      stopListening();
      stopUsr2?.();
    },
  };
}

function ready(
  { url, host, port, pid }: Pick<RunningNatsServer, 'url' | 'host' | 'port' | 'pid'>,
  configuration: string,
  { output }: HomeContext,
): void {
  const line = `nats-server accepts clients at ${url} (process ${pid}, configuration ${configuration})`;
  output.event(line, { event: 'ready', url, host, port, pid, configuration });
}

function clientTlsNote(verifies: boolean): string {
  return (
    'the commands of this home need --tls-ca (or ZESTER_TLS_CA, or "tls" in its zester.json) unless Node.js trusts ' +
    `the authority of that certificate${verifies ? ', and --tls-cert and --tls-key of their own' : ''}`
  );
}
