import type { Command } from 'commander';
import { homePath, serverUrls } from '../trust/home.js';
import type { CliIo } from './io.js';

/** The options of a command that works on a trust domain. */
export interface HomeOptions {
  home?: string;
}

/** The options of a command that connects. */
export interface ServersOptions {
  servers?: string[];
}

/** Adds `--home`. */
export function withHomeOption(command: Command): Command {
  return command.option(
    '--home <dir>',
    'the trust domain (default: $ZESTER_HOME, else $XDG_DATA_HOME/zester, else ~/.local/share/zester)',
  );
}

/** Adds `--servers`. */
export function withServersOption(command: Command): Command {
  return command.option(
    '--servers <url...>',
    "the servers to connect to (default: $ZESTER_SERVERS, else the home's, else nats://127.0.0.1:4222)",
  );
}

/** The home that a command is for. */
export function homeOf(options: HomeOptions, io: CliIo): string {
  return homePath(options.home, io.env);
}

/** The servers that a command is for. @param ofHome those of the home */
export function serversOf(options: ServersOptions, io: CliIo, ofHome: readonly string[] = []): string[] {
  return serverUrls(options.servers, ofHome, io.env);
}
