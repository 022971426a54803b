// A master that looks up new hosts in an inventory. Here it is a file; it could be a web service or a database.
// node custom-master.js home inventory.json nats://127.0.0.1:4222
import { readFile } from 'node:fs/promises';
import { startMaster, type MasterEvent, type PolicyFunction } from 'zester/master';

const [home = 'home', inventory = 'inventory.json', servers = 'nats://127.0.0.1:4222'] =
  process.argv.slice(2);

/** What to do with each known peel ID. */
type Inventory = Record<string, 'install' | 'retired'>;

/** Decides about a host that no admin has added. If the inventory cannot be read, this throws, and the host is pending. */
const policy: PolicyFunction = async ({ peelId, trusted, returning }, { signal }) => {
  const known = JSON.parse(await readFile(inventory, { encoding: 'utf8', signal })) as Inventory;
  if (known[peelId] === 'retired') return 'reject';
  // only an admin may readmit an ID that was revoked before
  if (known[peelId] !== 'install' || !trusted || returning) return 'pending';
  return 'accept';
};

function logEvent(event: MasterEvent): void {
  switch (event.type) {
    case 'accepted':
    case 'rejected':
    case 'revoked':
      return console.log(`${event.type} ${event.peelId} by ${event.by.name}`);
    case 'policyFailed':
      return console.warn(`${event.peelId ?? ''} is pending: ${event.reason ?? ''}`);
    case 'held':
      return console.error(`${event.peels} revocations are held: ${event.reason ?? ''}`);
    default:
      return;
  }
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

try {
  const master = await startMaster({
    home,
    servers,
    policy,
    policyTimeoutMs: 3_000,
    onEvent: logEvent,
    signal: stop.signal,
    logger: { debug: () => undefined, info: () => undefined, warn: log, error: log },
  });
  console.log(`master ${master.id} is ready`);
  stop.signal.addEventListener('abort', () => void master.stop());
  await master.closed;
  if (master.endedBy !== undefined) throw master.endedBy;
} catch (error) {
  if (!stop.signal.aborted) throw error;
}

function log(_fields: object, message: string): void {
  console.error(message);
}
