// An admin program: accepts peels whose keys you know, asks connected peels for facts, and follows the audit log.
// node admin.js nats://127.0.0.1:4222 admin.creds known-keys.json
import { readFile } from 'node:fs/promises';
import { connectFleet, ZesterError } from 'zester';

const [servers = 'nats://127.0.0.1:4222', credentials = 'admin.creds', list = 'known-keys.json'] =
  process.argv.slice(2);
/** The fingerprints that the hosts showed when they requested to join, by peel ID. */
const known = JSON.parse(await readFile(list, 'utf8')) as Record<string, string>;

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());

const fleet = await connectFleet({ servers, credentials, signal: interrupted.signal });
try {
  for await (const { record } of fleet.peels.list({ state: 'pending' })) {
    const fingerprint = known[record.id];
    if (fingerprint === undefined) continue;
    try {
      await fleet.peels.accept(record.id, { fingerprint, reason: 'known key' });
      console.log(`accepted ${record.id}`);
    } catch (error) {
      // another host requested this ID
      if (!(error instanceof ZesterError) || error.code !== 'ERR_FLEET_PROOF') throw error;
      await fleet.peels.reject(record.id, { reason: 'unknown key' });
      console.log(`rejected ${record.id}`);
    }
  }

  const ids: string[] = [];
  for await (const { record } of fleet.peels.list({ connected: true })) ids.push(record.id);
  for await (const reply of fleet.peels.exec(ids, 'facts', [], { timeoutMs: 5_000 }))
    console.log(reply.id, JSON.stringify(reply.ok ? reply.result : reply.code));

  for await (const { kind, peelId = '' } of fleet.audit({ last: 1, follow: true }))
    console.log('audit', kind, peelId);
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
} finally {
  await fleet.close();
}
