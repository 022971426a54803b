/**
 * Many peels in one separate process, for tests that kill it: `peel-host.ts URL,URL FILE.creds…`. Prints the events of
 * the peels to standard output, one JSON line per event.
 */
import { startPeel } from '../../../src/peel/index.js';

const [urls = '', ...files] = process.argv.slice(2);
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function run(credsPath: string): Promise<void> {
  const peel = await startPeel({
    servers: urls.split(','),
    credsPath,
    reconnectTimeWait: 500,
    onEvent: (event) => {
      const error = 'error' in event ? { error: String(event.error) } : {};
      say({ at: new Date().toISOString(), credsPath, ...event, ...error });
    },
  });
  void peel.closed.then(({ reason }) => say({ type: 'closed', credsPath, reason }));
}

// a permanently refused peel, which was revoked, must not stop the others
void Promise.all(
  files.map((credsPath) =>
    run(credsPath).catch((error: unknown) => say({ type: 'failed', credsPath, error: String(error) })),
  ),
);
say({ type: 'all' });
