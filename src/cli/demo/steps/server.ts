// Demo steps: create a trust domain, and start a server that trusts it.
import { writeServerConfiguration } from '../../../nats-server/write-configuration.js';
import { startNatsServer } from '../../../nats-server/run.js';
import { createTrustDomain } from '../../../trust/create/create.js';
import type { DemoStep } from '../stage.js';

/** From an empty directory to a server that trusts exactly our operator. */
export const serverSteps: readonly DemoStep[] = [
  {
    step: 'trust domain',
    async run(stage) {
      const domain = stage.domain.set(
        await createTrustDomain(stage.home, { operatorName: 'demo', accountName: 'fleet' }),
      );
      return `operator ${domain.publicKeys.operator} and its account in ${stage.home}`;
    },
  },
  {
    step: 'configuration',
    async run(stage) {
      // any free port: the server reports which one it uses
      const path = await writeServerConfiguration(stage.domain.get(), { host: '127.0.0.1', port: -1 });
      stage.configPath.set(path);
      return `operator mode, JWT resolver, JetStream: ${path}`;
    },
  },
  {
    step: 'server',
    async run(stage) {
      const server = stage.server.set(await startNatsServer({ configPath: stage.configPath.get() }));
      stage.atEnd(async () => {
        await server.stop();
        // for a kept home: the same port next time
        await writeServerConfiguration(stage.domain.get(), { host: '127.0.0.1', port: server.port });
      });
      return `nats-server accepts clients at ${server.url} (process ${server.pid})`;
    },
  },
];
