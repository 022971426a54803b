// Signed requests of an admin as protocol lines, for a flood over a bare socket.
import { nuid } from '@nats-io/nats-core';
import { writeFile } from 'node:fs/promises';
import { loadCredsFile } from '../../src/creds/parse.js';
import { adminInboxPrefix, adminSubject, type AdminVerb } from '../../src/permissions/names.js';
import { encodeJson } from '../../src/protocol/messages.js';
import { MessageSigner } from '../../src/protocol/signed.js';
import { signRequest } from '../../src/protocol/signed-request.js';

/** Writes requests that a master accepts, each once, to a file. @param path the admin's credentials */
export async function writeSignedRequests(
  file: string,
  path: string,
  requests: readonly (readonly [verb: AdminVerb, request: object])[],
  count: number,
): Promise<void> {
  using signer = new MessageSigner(await loadCredsFile(path));
  const user = signer.claims.name;
  const lines: Uint8Array[] = [];
  for (let i = 0; i < count; i += 1) {
    const [verb, request] = requests[i % requests.length] ?? (['status', {}] as const);
    const subject = adminSubject(verb, user);
    const data = encodeJson(request);
    const headers = signRequest(signer, subject, data);
    const pairs = headers.keys().map((name) => `${name}: ${headers.get(name)}\r\n`);
    const head = Buffer.from(`NATS/1.0\r\n${pairs.join('')}\r\n`);
    const reply = `${adminInboxPrefix(user)}.flood.${nuid.next()}`;
    lines.push(
      Buffer.from(`HPUB ${subject} ${reply} ${head.length} ${head.length + data.length}\r\n`),
      head,
      data,
      Buffer.from('\r\n'),
    );
  }
  await writeFile(file, Buffer.concat(lines));
}
