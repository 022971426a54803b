import { describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { AdminClient } from '../../../src/protocol/admin-client.js';
import { MessageSigner } from '../../../src/protocol/signed.js';
import { adminSubject } from '../../../src/permissions/names.js';
import { startOperatorServer } from '../../support/operator-server.js';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('the answer of a master in parts', () => {
  it.each<[string, string[], string | undefined]>([
    ['no answer', [], 'no master answered within 0.3 s: try again'],
    ['an answer in one part', ['{"peels":[]}'], undefined],
  ])('ends in time: %s', async (_, says, message) => {
    const server = await startOperatorServer();
    const credsPath = await server.user('admin');
    const [nc, master] = [await server.connect(credsPath), await server.connect(credsPath)];
    master.subscribe(adminSubject('peel.list'), {
      callback: (_error, request) => {
        for (const part of says) request.respond(part);
        if (says.length > 0) request.respond('');
      },
    });
    await master.flush();
    const client = new AdminClient(nc, new MessageSigner(await loadCredsFile(credsPath)), { timeoutMs: 300 });
    const parts = all(client.stream('peel.list', {}));
    if (message === undefined) await expect(parts).resolves.toEqual([{ peels: [] }]);
    else await expect(parts).rejects.toMatchObject({ code: 'ERR_FLEET_TIMEOUT', message });
  });
});
