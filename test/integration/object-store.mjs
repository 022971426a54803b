// Uses an object store as one user: node object-store.mjs URL NAME PATH BUCKET VERB [OBJECT [CONTENT]]. Prints the
// result.
import { readFile } from 'node:fs/promises';
import { Objm } from '@nats-io/obj';
import { connect, credsAuthenticator } from '@nats-io/transport-node';

const [servers, name, path, bucket, verb, object = '', content = ''] = process.argv.slice(2);
const nc = await connect({
  servers,
  authenticator: credsAuthenticator(await readFile(path)),
  inboxPrefix: `_INBOX.${name}`,
});
try {
  const objm = new Objm(nc, { timeout: 1_500 });
  const store = verb === 'create' ? await objm.create(bucket) : await objm.open(bucket);
  const verbs = {
    create: () => true,
    put: async () => (await store.putBlob({ name: object }, Buffer.from(content))).name,
    get: async () => Buffer.from((await store.getBlob(object)) ?? '').toString(),
    list: async () => (await store.list()).map((info) => info.name),
    delete: async () => (await store.delete(object)).success,
    status: async () => (await store.status()).bucket,
  };
  console.log(JSON.stringify({ done: await verbs[verb]() }));
} catch (error) {
  console.log(JSON.stringify({ error: `${error.name}: ${error.message}` }));
}
await nc.close();
