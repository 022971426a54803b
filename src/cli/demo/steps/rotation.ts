// Demo steps: replace the credentials of a connected peel.
import { dial } from '../../../connection/dial.js';
import { loadCredsFile } from '../../../creds/parse.js';
import { userNameOf } from '../../../jwt/decode.js';
import { expect, PEEL_ID, within, type DemoStep, type Stage } from '../stage.js';
import { sendCommand } from './connect.js';
import { DEFAULT_LIFETIME_SECONDS } from '../../../master/default-options.js';

/** Replaces the file of a connected peel, and checks the server's report of the new key. */
export const rotationSteps: readonly DemoStep[] = [
  {
    step: 'new key',
    async run(stage) {
      const path = stage.credsPath.get();
      const before = (await loadCredsFile(path)).publicKey;
      const connects = await watchConnects(stage);
      const seen = within<string>(`a connection of ${PEEL_ID} with another key`, (done) => {
        connects((name, publicKey) => {
          if (name === PEEL_ID && publicKey !== before) done(publicKey);
        });
      });
      const rotated = within<string>('the reconnect of the peel', (done) => {
        void (async () => {
          for await (const event of stage.peel.get().events()) {
            if (event.type === 'rotated') return done(event.publicKey ?? '');
          }
        })();
      });
      await stage.domain.get().issuePeel(PEEL_ID, path, { expiry: DEFAULT_LIFETIME_SECONDS });
      const after = (await loadCredsFile(path)).publicKey;
      const [publicKey, own] = await Promise.all([seen, rotated]);
      expect(publicKey === after, `the peel reconnected with ${publicKey}, but the file has ${after}`);
      expect(own === after, `the peel reports that it uses ${own}, but the file has ${after}`);
      // an answer proves that the server has the peel's subscriptions again
      await stage.peel.get().flush();
      return `the file replaced, the peel reconnected by itself: was ${before}, the server now sees ${publicKey}`;
    },
  },
  {
    step: 'command again',
    async run(stage) {
      return `the peel answered "${await sendCommand(stage, 'date')}" with its new key`;
    },
  },
];

type OnConnect = (name: string, publicKey: string) => void;

/** The server reports each connect to its system account (docs/nats-facts.md, 17), which no peel can forge. */
async function watchConnects(stage: Stage): Promise<(onConnect: OnConnect) => void> {
  const { publicKeys, paths } = stage.domain.get();
  const system = await dial({
    servers: stage.server.get().url,
    ...(await loadCredsFile(paths.systemCreds)).natsOption(),
  });
  stage.atEnd(() => system.close());
  let listener: OnConnect | undefined;
  system.subscribe(`$SYS.ACCOUNT.${publicKeys.account}.CONNECT`, {
    callback: (_error, message) => {
      const { client } = message.json<{ client?: { jwt?: string; user?: string } }>();
      listener?.(userNameOf(client?.jwt ?? '') ?? '', client?.user ?? '');
    },
  });
  await system.flush();
  return (onConnect) => (listener = onConnect);
}
