/**
 * Many peels in one process of its own, for tests that kill it: `peel-host.ts URL,URL FILE.creds…`. What the peels tell
 * goes to standard output, one JSON line an event.
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

// one that is refused permanently, because it was revoked, must not keep the others
void Promise.all(
  files.map((credsPath) =>
    run(credsPath).catch((error: unknown) => say({ type: 'failed', credsPath, error: String(error) })),
  ),
);
say({ type: 'all' });
