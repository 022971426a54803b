import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { InterruptSignal } from '../../../src/cli/terminal/io.js';
import { createProgram } from '../../../src/cli/program.js';
import { createBackup } from '../../../src/backup/create-backup.js';
import { addAccountSigningKey } from '../../../src/account/rotate-keys.js';
import { readSettings, writeSettings, type TrustSettings } from '../../../src/trust/settings.js';
import { zester, type ZesterResult } from '../../cli/run-zester.js';
import { waitFor } from '../../support/wait-for.js';
import { addCreds, tokenFile } from './peels.js';
import type { Fleet } from './fleet.js';

/** Arguments for command lines, created with the library, so that no command depends on another. */
export class Stage {
  readonly fleet: Fleet;
  readonly #admin: Awaited<ReturnType<Fleet['admin']>>;
  readonly #identity: string;
  /** A backup of the fleet. */
  readonly backup: string;
  /** What is given out again and again; undefined: everything is new. */
  #kept: Map<string, Promise<string>> | undefined;
  #count = 0;

  private constructor(
    fleet: Fleet,
    admin: Awaited<ReturnType<Fleet['admin']>>,
    backup: { identity: string; path: string },
  ) {
    this.fleet = fleet;
    this.#admin = admin;
    this.#identity = backup.identity;
    this.backup = backup.path;
  }

  static async of(fleet: Fleet): Promise<Stage> {
    const identity = await generateX25519Identity();
    const path = join(fleet.home.dir, 'fleet.age');
    const recipients = [await identityToRecipient(identity)];
    await createBackup(fleet.home.home, path, { ...fleet.connection, recipients });
    return new Stage(fleet, await fleet.admin(), { identity, path });
  }

  /** Gives out the same again from now on: for commands that are refused, and use up nothing. */
  keepsAll(): this {
    this.#kept = new Map();
    return this;
  }

  #give(what: string, make: () => Promise<string>): Promise<string> {
    const given = this.#kept?.get(what) ?? make();
    this.#kept?.set(what, given);
    return given;
  }

  get home(): string {
    return this.fleet.home.home;
  }

  /** A new name. */
  name(): string {
    return `new-${(this.#count += 1)}`;
  }

  async file(): Promise<string> {
    return join(await mkdtemp(join(this.fleet.home.dir, 'out-')), `${this.name()}.creds`);
  }

  /** Credentials of a new peel. */
  peel(): Promise<string> {
    return this.#give('peel', () => addCreds(this.fleet, this.#admin, this.name()));
  }

  /** An unused join token. */
  token(): Promise<string> {
    return this.#give('token', () => tokenFile(this.fleet, this.#admin));
  }

  /** A join signing key that another one has replaced. */
  spareKey(): Promise<string> {
    return this.#give('spare key', async () => {
      const { joinSigning = '' } = (await this.fleet.home.domain()).publicKeys;
      await addAccountSigningKey(this.home, 'join-signing', { servers: false });
      return joinSigning;
    });
  }

  /** The identity that can restore {@link backup}. */
  async recipient(): Promise<string> {
    return identityToRecipient(this.#identity);
  }

  async identityFile(): Promise<string> {
    const path = await this.file();
    await writeFile(path, `${this.#identity}\n`, { mode: 0o600 });
    return path;
  }

  async operatorKey(): Promise<string> {
    return (await this.fleet.home.domain()).publicKeys.operatorSigning;
  }
}

/** A command that connects to the servers of a fleet. */
export interface ConnectingCommand {
  /** Its arguments besides the home and the servers. */
  args: (stage: Stage) => (string | Promise<string>)[];
  /** It runs on a host without a home, and so without its settings. */
  noHome?: true;
  /** It runs until it is interrupted. */
  goesOn?: true;
  /** When it cannot connect, it reports that and prints what it has. */
  warns?: true;
  /** Its error when it can connect: the answer of a master. */
  ends?: string;
}

/**
 * The commands that take their turn in one of several ways: with each round, every command takes the next of its ways.
 *
 * @param isHome whether a way is the settings of a home, which not every command has
 */
export function commandsInTurn(
  ways: readonly string[],
  way: string,
  round: number,
  isHome: (way: string) => boolean,
): (readonly [string, ConnectingCommand])[] {
  return Object.entries(CONNECTING).filter(([, { noHome }], command) => {
    const own = ways.filter((each) => noHome !== true || !isHome(each));
    return own[(command + round) % own.length] === way;
  });
}

/** Every command that connects, by its name. */
export const CONNECTING: Readonly<Record<string, ConnectingCommand>> = {
  'account push': { args: () => [] },
  'account show': { args: () => [] },
  'admin add': { args: (stage) => [stage.name(), '--role', 'viewer', '--out', stage.file()] },
  'admin list': { args: () => [] },
  'admin remove': { args: () => ['nobody', '--yes'], ends: 'ERR_TRUST_ADMIN' },
  api: { args: () => ['--port', '0'], goesOn: true },
  audit: { args: () => [] },
  'audit retention': { args: () => [] },
  backup: { args: (stage) => ['--out', stage.file(), '-r', stage.recipient()] },
  doctor: { args: () => [] },
  'doctor --integrity': { args: () => [] },
  expirations: { args: () => [], warns: true },
  'join-token create': { args: (stage) => ['--ids', 'x-*', '--out', stage.file()] },
  'join-token list': { args: () => [] },
  'join-token remove': { args: () => ['nonesuch'], ends: 'ERR_FLEET_TOKEN_UNKNOWN' },
  'keys add': { args: () => ['join-signing'] },
  'keys list': { args: () => [], warns: true },
  'keys rotate': { args: () => ['peel-signing', '--dry-run'] },
  'keys use': { args: (stage) => [stage.operatorKey()] },
  'keys remove': { args: (stage) => [stage.spareKey(), '--force', '--yes'] },
  master: { args: () => ['--policy', 'auto-all'], goesOn: true },
  'master invite': {
    args: (stage) => ['--name', stage.name(), '--out', stage.file(), '-r', stage.recipient()],
  },
  'master list': { args: () => [] },
  'master remove': { args: () => ['nonesuch', '--yes'], ends: 'ERR_TRUST_MASTER' },
  'master resume': { args: () => ['--yes'] },
  'peel accept': { args: () => ['nobody'], ends: 'ERR_FLEET_UNKNOWN_PEEL' },
  'peel add': { args: (stage) => [stage.name(), '--out', stage.file()] },
  'peel exec': { args: () => ['web-01', 'facts'] },
  'peel join': {
    args: (stage) => ['--token', stage.token(), '--id', stage.name(), '--out', stage.file(), '--wait', '20s'],
    noHome: true,
  },
  'peel label': { args: () => ['web-01', 'env=prod'] },
  'peel list': { args: () => [] },
  'peel recover': { args: (stage) => ['--creds', stage.peel(), '--wait', '20s'], noHome: true },
  'peel reject': { args: () => ['nobody', '--yes'], ends: 'ERR_FLEET_UNKNOWN_PEEL' },
  'peel revoke': { args: () => ['nobody', '--yes'], ends: 'ERR_FLEET_UNKNOWN_PEEL' },
  'peel rotate': { args: () => ['web-01', '--wait'] },
  'peel run': { args: (stage) => ['--creds', stage.peel()], noHome: true, goesOn: true },
  'peel show': { args: () => ['web-01'] },
  'permissions migrate': { args: () => ['--yes'] },
  'permissions set': { args: (stage) => ['--allow-publish', `${stage.name()}.{{name()}}`, '--yes'] },
  // the peel may be reconnecting, since its permissions have just changed
  ping: { args: () => ['web-01', '--wait', '20s'] },
  restore: { args: (stage) => [stage.backup, '-i', stage.identityFile()] },
  'revocations clear': { args: () => ['--all', '--yes'] },
  'revocations list': { args: () => [] },
  top: { args: () => ['--once'] },
  revoke: { args: (stage) => ['--creds', stage.peel(), '--yes'] },
  ui: { args: () => ['--port', '0'], goesOn: true },
};

/** The commands with `--servers`, in program order. */
export async function commandsThatTakeServers(): Promise<string[]> {
  const io = {
    stdout: process.stdout,
    stderr: process.stderr,
    env: {},
    now: Date.now,
    onInterrupt: () => () => undefined,
  };
  const walk = (command: Command, name: string[]): string[] => [
    ...(command.options.some(({ long }) => long === '--servers') ? [name.join(' ')] : []),
    ...command.commands.flatMap((sub) => walk(sub, [...name, sub.name()])),
  ];
  return walk(await createProgram(io), []);
}

/** The servers and connection options of a command, as flags or environment variables. */
export interface ConnectionInput {
  flags?: readonly string[];
  env?: Record<string, string>;
}

/** Runs a command; interrupts a long-running one once it reports that it is ready, or waiting. */
export async function runConnecting(
  name: string,
  stage: Stage,
  input: ConnectionInput,
): Promise<ZesterResult> {
  const command = CONNECTING[name];
  if (command === undefined) throw new Error(`no command ${name}`);
  const args = [
    ...name.split(' '),
    ...(await Promise.all(command.args(stage))),
    ...(command.noHome === true ? [] : ['--home', stage.home]),
    ...(input.flags ?? []),
  ];
  let interrupt: (signal: InterruptSignal) => void = () => undefined;
  let output = '';
  let ended = false;
  const running = zester(args, {
    env: input.env ?? {},
    onListening: (stop) => (interrupt = stop),
    onOutput: (text) => (output += text),
  }).finally(() => (ended = true));
  if (command.goesOn === true) {
    await waitFor(
      `"zester ${name}" to be ready`,
      () => ended || /is ready|is connected|waiting|not recovered/.test(output),
    );
    interrupt('SIGTERM');
  }
  return running;
}

/** Sets the home's server settings; its other settings stay. */
export async function setHome(
  stage: Pick<Stage, 'fleet'>,
  wanted: Pick<TrustSettings, 'servers' | 'tls' | 'requireTls'>,
): Promise<void> {
  const { paths } = await stage.fleet.home.domain();
  const settings = await readSettings(paths.settings);
  // undefined values are not written
  const none = { servers: undefined, tls: undefined, requireTls: undefined };
  await writeSettings(paths.settings, { ...settings, ...none, ...wanted });
}
