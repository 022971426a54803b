import type { Command } from 'commander';
import { registerAudit } from './commands/audit.js';
import { registerDoctor } from './commands/doctor.js';
import { registerExpirations } from './commands/expirations.js';
import { registerInit } from './commands/init.js';
import { registerKeysAdd } from './commands/keys-add.js';
import { registerKeysExportIdentity } from './commands/keys-export-identity.js';
import { registerKeysGenerate } from './commands/keys-generate.js';
import { registerKeysList } from './commands/keys-list.js';
import { registerKeysRemove } from './commands/keys-remove.js';
import { registerKeysUse } from './commands/keys-use.js';
import { registerMasterResume } from './commands/master-resume.js';
import { registerMaster } from './commands/master.js';
import { registerRevocationsClear } from './commands/revocations-clear.js';
import { registerRevocationsList } from './commands/revocations-list.js';
import { registerRevoke } from './commands/revoke.js';
import { registerServerConfig } from './commands/server-config.js';
import { registerServer } from './commands/server.js';
import { registerUp } from './commands/up.js';
import { addCommands } from './command/program.js';
import { loadCommands } from './command/tree.js';
import type { CliIo } from './io.js';
import { rootCommand } from './root.js';

/**
 * The command tree. Registering a command is cheap: a command's file imports the library only when its action runs.
 */
export async function createProgram(io: CliIo): Promise<Command> {
  const program = rootCommand(io);
  addCommands(program, await loadCommands(), io);
  registerInit(program, io);
  registerServerConfig(registerServer(program, io), io);
  registerUp(program, io);
  registerMasterResume(registerMaster(program, io), io);

  registerAudit(program, io);

  const keys = program.command('keys').description('make, list and replace keys');
  registerKeysGenerate(keys, io);
  registerKeysList(keys, io);
  registerKeysAdd(keys, io);
  registerKeysUse(keys, io);
  registerKeysRemove(keys, io);
  registerKeysExportIdentity(keys, io);

  registerRevoke(program, io);
  const revocations = program.command('revocations').description('look at revocations, and take them back');
  registerRevocationsList(revocations, io);
  registerRevocationsClear(revocations, io);

  registerDoctor(program, io);
  registerExpirations(program, io);
  return program;
}
