// Runs a peel in the foreground.
import { ConnectError } from '../../errors.js';
import type { LogLevel } from '../config/settings.js';
import { exposedMode } from '../terminal/exposed-mode.js';
import type { ConnectionOf } from '../options/home-options.js';
import type { CliIo } from '../terminal/io.js';
import type { Output } from '../terminal/output.js';

/** The options of running a peel. */
export interface RunPeelSettings {
  creds: string;
  connection: ConnectionOf;
  id?: string | undefined;
  rotate?: 'hitless' | 'reconnect' | undefined;
  /** The window of the first attempt to reconnect, in seconds. */
  reconnectWindow?: number | undefined;
  logLevel?: LogLevel | undefined;
}

/**
 * Runs a peel until it is stopped.
 *
 * @throws errors of `startPeel`; the error of a master's stop notice; ConnectError when its connection was closed
 */
export async function runPeel(settings: RunPeelSettings, output: Output, io: CliIo): Promise<void> {
  const { creds, connection, id, rotate = 'hitless', reconnectWindow, logLevel = 'info' } = settings;
  const { createLog } = await import('../terminal/log.js');
  const { startPeel } = await import('../../peel/peel.js');
  const log = await createLog({ level: logLevel, json: output.json }, io);
  const exposed = exposedMode(creds);
  if (exposed !== undefined) output.warn(exposed);
  const ending = new AbortController();
  const stopListening = io.onInterrupt(() => ending.abort());
  try {
    const peel = await startPeel({
      ...connection,
      credsPath: creds,
      rotate,
      ...(reconnectWindow !== undefined && { reconnectWindowMs: reconnectWindow * 1_000 }),
      logger: log,
      signal: ending.signal,
      ...(id !== undefined && { peelId: id }),
    });
    const { publicKey } = peel.credentials;
    const server = peel.nc.getServer();
    output.event(`peel "${peel.id}" is connected to ${server}`, {
      event: 'ready',
      peelId: peel.id,
      server,
      publicKey,
    });
    const drain = (): void => void peel.drain();
    if (ending.signal.aborted) drain();
    else ending.signal.addEventListener('abort', drain, { once: true });
    const { reason, error } = await peel.closed;
    if (reason === 'ended') throw error;
    if (reason === 'failed') {
      const why = error === undefined ? '' : `: ${error.message}`;
      throw new ConnectError('ERR_CONNECT_UNREACHABLE', `the connection was closed permanently${why}`, {
        cause: error,
      });
    }
    if (error !== undefined) output.warn(error.message);
    output.event(`peel "${peel.id}" stopped`, { event: 'stopped', peelId: peel.id });
  } catch (error) {
    // interrupted before it was connected
    if (!ending.signal.aborted || error !== ending.signal.reason) throw error;
    output.event('peel stopped', { event: 'stopped', peelId: id ?? null });
  } finally {
    stopListening();
  }
}
