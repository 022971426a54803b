// The commands that `zester demo --keep` suggests next.
import type { Stage } from './stage.js';

/** Commands to try with the kept home. */
export function howToGoOn({ home, configPath, credsPath, domain }: Stage): string[] {
  const commands: string[] = [];
  if (configPath.isSet) commands.push(`nats-server -c ${configPath.get()}`);
  if (credsPath.isSet && domain.isSet) {
    const { operatorJwt, accountJwt } = domain.get().paths;
    commands.push(
      `zester creds inspect ${credsPath.get()}`,
      `zester creds verify ${credsPath.get()} --operator-jwt ${operatorJwt} --account-jwt ${accountJwt}`,
    );
  }
  return [...commands, `rm -r ${home}`];
}
