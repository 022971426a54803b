// Demo steps: what the server and the checks must refuse.
import { join } from 'node:path';
import { connectPeel } from '../../../connection/connect.js';
import { writeCredsFile } from '../../../creds/generate.js';
import { ConnectError } from '../../../errors.js';
import { createUserJwt } from '../../../jwt/user.js';
import { generateKeyBundle } from '../../../nkeys/key-bundle.js';
import { peelUserJwtOptions } from '../../../permissions/roles.js';
import { expect, OTHER_PEEL_ID, PEEL_ID, within, type DemoStep, type Stage } from '../stage.js';
import { subjectFor, subjectsOf } from '../../../permissions/names.js';

/** Operations that must be refused. */
export const refusalSteps: readonly DemoStep[] = [
  {
    step: 'stranger',
    async run(stage) {
      // complete and valid, with the peel's name and our account: only the signing key is foreign
      const user = generateKeyBundle('user');
      const options = peelUserJwtOptions(PEEL_ID, stage.domain.get().publicKeys.account);
      const credsPath = join(stage.home, 'creds', 'stranger.creds');
      await writeCredsFile(credsPath, createUserJwt(user, generateKeyBundle('account'), options), user.seed);
      user.wipe();
      const refusal = await connectPeel({
        servers: stage.server.get().url,
        credsPath,
        peelId: PEEL_ID,
      }).then(
        async (connection) => {
          await connection.close();
          return undefined;
        },
        (error: unknown) => error,
      );
      expect(refusal !== undefined, 'the server accepted a credential that a foreign key signed');
      if (!(refusal instanceof ConnectError) || refusal.code !== 'ERR_CONNECT_REFUSED') throw refusal;
      return `the server refused a credential for ${PEEL_ID} that a foreign key signed`;
    },
  },
  {
    step: 'other peel',
    async run(stage) {
      const published = await publishForOther(stage);
      const subscribed = await subscribeForOther(stage);
      return `the server did not let ${PEEL_ID} publish to ${published} or subscribe to ${subscribed}`;
    },
  },
];

/** The server must refuse, and the message must not arrive. */
async function publishForOther(stage: Stage): Promise<string> {
  const [peel, master] = [stage.peel.get(), stage.master.get()];
  const foreign = subjectFor.event(OTHER_PEEL_ID, 'hello');
  const own = subjectFor.event(PEEL_ID, 'hello');
  const received: string[] = [];
  const arrived = within<void>(`${own} at the master`, (done) => {
    master.subscribe(subjectsOf('event'), {
      callback: (_error, { subject }) => {
        received.push(subject);
        if (subject === own) done();
      },
    });
  });
  await master.flush();
  const refused = within<void>(`the server's refusal of ${foreign}`, (done) => {
    void (async () => {
      for await (const status of peel.status()) {
        if (status.type === 'error' && status.error.message.includes(foreign)) return done();
      }
    })();
  });
  peel.publish(foreign);
  // sent after the forbidden one on the same connection: when it arrives, the other would have arrived too
  peel.publish(own);
  await Promise.all([refused, arrived]);
  expect(!received.includes(foreign), `${foreign}, published by ${PEEL_ID}, reached the master`);
  return foreign;
}

async function subscribeForOther(stage: Stage): Promise<string> {
  const foreign = subjectFor.command(OTHER_PEEL_ID);
  const refusal = await within<Error | null>(`the server's refusal of ${foreign}`, (done) => {
    stage.peel.get().subscribe(foreign, { callback: (error) => done(error) });
  });
  expect(
    refusal?.name === 'PermissionViolationError',
    `a subscription of ${PEEL_ID} to ${foreign} was not refused by the server`,
  );
  return foreign;
}
