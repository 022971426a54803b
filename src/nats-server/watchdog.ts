// Stops a nats-server if the process that started it dies.
import { spawn } from 'node:child_process';

/**
 * Waits for a line or the end of its input. The end without a line means that the process which started the server is
 * gone, however it went (SIGKILL included): the server ($1) is stopped, gracefully if it takes no longer than 5 s, and
 * its directory for the ports file ($2) is removed.
 */
const SCRIPT = `
read -r _ && exit 0
kill -TERM "$1" 2>/dev/null
i=0
while [ $i -lt 50 ] && kill -0 "$1" 2>/dev/null; do sleep 0.1; i=$((i + 1)); done
kill -KILL "$1" 2>/dev/null
rm -rf -- "$2"
`;

/** Returned by {@link watchOver}; call it once the server has exited by itself. */
export type Dismiss = () => void;

/**
 * Makes sure that a server does not outlive this process. No exit or signal handler of our own could do that: none
 * runs after a SIGKILL, and a library must not handle its user's signals.
 *
 * @param pid the server
 * @param directory removed with it
 */
export function watchOver(pid: number, directory: string): Dismiss {
  const watchdog = spawn('/bin/sh', ['-c', SCRIPT, 'zester-watchdog', String(pid), directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // its own session: a Ctrl-C on the terminal goes to this process, which decides how to stop the server
    detached: true,
  });
  // without /bin/sh, the server runs without it
  watchdog.on('error', () => undefined);
  watchdog.stdin.on('error', () => undefined);
  watchdog.unref();
  // typed as a socket, since it is a pipe: it must not keep this process alive
  (watchdog.stdin as unknown as { unref?: () => void }).unref?.();
  return () => watchdog.stdin.end('ended\n');
}
