import type { NatsConnection } from '@nats-io/transport-node';
import { askAll, jsonOf } from './ask-all.js';
import { listServers } from './servers.js';

/** A user that is connected now. */
export interface ConnectedUser {
  /** The name in its JWT: of a peel, its id. */
  name: string;
  /** `U…`. */
  publicKey: string;
  /** The key that signed it (`A…`). */
  issuer: string;
  server: string;
}

interface Connections {
  server?: { name?: string };
  data?: {
    total?: number;
    connections?: { authorized_user?: string; issuer_key?: string; name_tag?: string }[];
  };
}

/** As many as a server gives in one answer without making it larger than a message may be. */
const PAGE = 256;

/**
 * The users of an account that are connected now, on all servers.
 *
 * Source: `$SYS.REQ.SERVER.PING.CONNZ` of the system account.
 *
 * @param nc a connection of the system account
 * @param account the public key (`A…`)
 */
export async function connectedUsers(nc: NatsConnection, account: string): Promise<ConnectedUser[]> {
  const up = await listServers(nc);
  const users: ConnectedUser[] = [];
  for (let offset = 0; ; offset += PAGE) {
    const answers = await askAll(
      nc,
      '$SYS.REQ.SERVER.PING.CONNZ',
      JSON.stringify({ auth: true, acc: account, limit: PAGE, offset }),
      (all) => all.length >= up.length,
      { maxWait: 3_000, stall: 1_000 },
    );
    let more = false;
    for (const answer of answers) {
      const { server, data } = jsonOf<Connections>(answer) ?? {};
      for (const {
        authorized_user: publicKey,
        issuer_key: issuer = '',
        name_tag: name = '',
      } of data?.connections ?? []) {
        if (publicKey !== undefined) users.push({ name, publicKey, issuer, server: server?.name ?? '' });
      }
      more ||= (data?.total ?? 0) > offset + PAGE;
    }
    if (!more) return users;
  }
}
