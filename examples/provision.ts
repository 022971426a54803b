// A provisioning service: gives a new host the credentials of its peel ID, once, over HTTP (put a TLS proxy in front of it).
// PROVISION_TOKEN=… node provision.js peel-signing.seed ACCOUNT_PUBLIC_KEY issued 8080
// curl -f -H "Authorization: Bearer $PROVISION_TOKEN" -d web-01 http://127.0.0.1:8080/peels >web-01.creds
import { createHash, timingSafeEqual } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { isPeelId, issuePeelCredentials, loadKeyBundleFromFile } from 'zester';

const [seed = '', account = '', issued = 'issued', port = '8080'] = process.argv.slice(2);
const token = process.env['PROVISION_TOKEN'] ?? '';
if (token.length < 16) throw new Error('set PROVISION_TOKEN to at least 16 random characters');
const signer = await loadKeyBundleFromFile('account', seed);
await mkdir(issued, { recursive: true, mode: 0o700 });

const digest = (text: string) => createHash('sha256').update(text).digest();
const refusal = (status: number, message: string) => Object.assign(new Error(message), { status });

async function peelIdOf(request: IncomingMessage): Promise<string> {
  if (request.method !== 'POST' || request.url !== '/peels') throw refusal(404, 'use POST /peels');
  const given = digest(request.headers.authorization ?? '');
  if (!timingSafeEqual(given, digest(`Bearer ${token}`))) throw refusal(401, 'wrong token');
  let body = '';
  for await (const part of request) {
    body += String(part);
    if (body.length > 1_024) throw refusal(413, 'the request is too long');
  }
  if (!isPeelId(body)) throw refusal(400, 'send a peel ID: letters, digits, - and _');
  return body;
}

async function issue(peelId: string): Promise<Uint8Array> {
  const options = { signer, issuerAccount: account, scoped: true, expiry: 86_400 };
  for await (const { content, publicKey } of issuePeelCredentials([peelId], options)) {
    try {
      // creating this file claims the ID, even if services share the directory; the key in it can be revoked later
      await writeFile(`${issued}/${peelId}`, `${publicKey}\n`, { flag: 'wx' });
      return content;
    } catch (error) {
      content.fill(0);
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw refusal(409, `${peelId} has been issued`);
}

const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
  const answer = async () => {
    const content = await issue(await peelIdOf(request));
    response.writeHead(201, { 'cache-control': 'no-store' }).end(content, () => content.fill(0));
  };
  answer().catch((error: Error & { status?: number }) => {
    if (error.status === undefined) console.error(error);
    const words = error.status === undefined ? 'failed: see the log of the service' : error.message;
    response.writeHead(error.status ?? 500, { connection: 'close' }).end(`${words}\n`);
  });
});
server.listen(Number(port), '127.0.0.1', () =>
  console.log(`listening on ${JSON.stringify(server.address())}`),
);
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => server.close(() => signer.wipe()));
