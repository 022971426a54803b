import { rawClient, type RawClient } from './raw-client.js';

/** A leafnode of a test. */
export interface RawLeafnode extends Pick<RawClient, 'errors' | 'closed'> {
  /** Whether the server admitted it. */
  isIn: boolean;
}

/**
 * A leafnode that is not nats-server: it speaks the minimum of the protocol by hand to be admitted, and performs none
 * of a server's checks on its side.
 */
export async function connectLeafnode(port: number, credsPath: string): Promise<RawLeafnode> {
  const { errors, closed, connectAs } = await rawClient(port);
  const fields = { server_id: `N${'A'.repeat(55)}`, version: '2.15.1', headers: true };
  const isAnswered = await connectAs(credsPath, fields);
  return { isIn: isAnswered && errors.length === 0, errors, closed };
}
