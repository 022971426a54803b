// Demo steps: peel and master connect, and a command is answered.
import { connectMaster, connectPeel } from '../../../connection/connect.js';
import { answerCommand } from '../../../protocol/answer-command.js';
import { requestPeel } from '../../../fleet-client/request-peel.js';
import { expect, PEEL_ID, type DemoStep, type Stage } from '../stage.js';
import { DEMO_TIMEOUT_MS } from '../../../timing.js';
import { commandSubject } from '../../../permissions/names.js';

/** Peel and master connect with their files, and a command is answered. */
export const connectSteps: readonly DemoStep[] = [
  {
    step: 'connect',
    async run(stage) {
      const servers = stage.server.get().url;
      const peel = stage.peel.set(
        await connectPeel({ servers, credsPath: stage.credsPath.get(), peelId: PEEL_ID }),
      );
      stage.atEnd(() => peel.drain());
      const master = stage.master.set(
        await connectMaster({ servers, credsPath: stage.domain.get().paths.masterCreds }),
      );
      stage.atEnd(() => master.drain());
      return `zester-peel-${PEEL_ID} and zester-master, each with its .creds file`;
    },
  },
  {
    step: 'command',
    async run(stage) {
      const peel = stage.peel.get();
      peel.subscribe(COMMAND, {
        callback: (error, message) => {
          if (error === null) answerCommand(message, PEEL_ID, `${PEEL_ID} did: ${message.string()}`);
        },
      });
      await peel.flush();
      return `the master sent a request on ${COMMAND}, and the peel answered "${await sendCommand(stage, 'uptime')}"`;
    },
  },
];

/** The subject of the peel's commands. */
const COMMAND = commandSubject(PEEL_ID);

/** Sends the peel a command, and checks that the answer is the peel's to this one. */
export async function sendCommand(stage: Stage, command: string): Promise<string> {
  const reply = await requestPeel(stage.master.get(), PEEL_ID, command, { timeoutMs: DEMO_TIMEOUT_MS });
  const answer = reply.string();
  expect(answer === `${PEEL_ID} did: ${command}`, `the peel answered "${answer}" to "${command}"`);
  return answer;
}
