// The commands that `zester demo --keep` suggests next.
import { shellWord } from '../../text/shell-word.js';
import type { Stage } from './stage.js';

/** Commands to try with the kept home. */
export function howToGoOn({ home, configPath, credsPath, domain }: Stage): string[] {
  const commands: string[] = [];
  if (configPath.isSet) commands.push(`nats-server -c ${shellWord(configPath.get())}`);
  if (credsPath.isSet && domain.isSet) {
    const { operatorJwt, accountJwt } = domain.get().paths;
    commands.push(
      `zester creds inspect ${shellWord(credsPath.get())}`,
      `zester creds verify ${shellWord(credsPath.get())} --operator-jwt ${shellWord(operatorJwt)} --account-jwt ${shellWord(accountJwt)}`,
    );
  }
  return [...commands, `rm -r ${shellWord(home)}`];
}
