import type { Stage } from './stage.js';

/** What to do with a home that is kept. */
export function howToGoOn(stage: Stage): string[] {
  const { home, configPath, credsPath, domain } = stage;
  const lines = ['', `The home of the demo is ${home}. To go on with it:`];
  const commands: string[] = [];
  if (configPath.isSet) commands.push(`nats-server -c ${configPath.get()}`);
  if (credsPath.isSet && domain.isSet) {
    const { operatorJwt, accountJwt } = domain.get().paths;
    commands.push(
      `zester creds inspect ${credsPath.get()}`,
      `zester creds verify ${credsPath.get()} --operator-jwt ${operatorJwt} --account-jwt ${accountJwt}`,
    );
  }
  commands.push(`rm -r ${home}`);
  return [...lines, ...commands.map((command) => `  $ ${command}`)];
}
