import { join } from 'node:path';
import { writeCredsFile } from '../../../src/creds/generate.js';
import { newRequestId, type AdminClient } from '../../../src/protocol/admin-client.js';
import type { RequestOf } from '../../../src/protocol/messages.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import type { PeelEvent } from '../../../src/peel/events.js';
import { writeRecoveryFile } from '../../../src/peel/recovery-files.js';
import { startPeel, type Peel, type PeelSettings } from '../../../src/peel/peel.js';
import { atEnd } from '../../support/cleanup.js';
import { waitFor } from '../../support/wait-for.js';
import type { Fleet } from './fleet.js';

/** Short waits for tests with many outages. */
export const SHORT_WAITS = { reconnectTimeWait: 100, reconnectJitter: 0 } as const;

/** Makes credentials as an admin does with `zester peel add`. @returns the path of the file */
export async function addCreds(
  fleet: Fleet,
  admin: AdminClient,
  peelId: string,
  options: Partial<RequestOf<'peel.add'>> & { dir?: string } = {},
): Promise<string> {
  const { dir = fleet.home.dir, ...rest } = options;
  const key = generateKeyBundle('user');
  const { publicKey } = key;
  const request = { requestId: newRequestId(), peelId, publicKey, ...rest };
  const { jwt, recovery } = await admin.ask('peel.add', request);
  const path = join(dir, `${peelId}.creds`);
  const { seed } = key;
  await writeCredsFile(path, jwt, seed);
  if (recovery !== undefined) await writeRecoveryFile(path, recovery);
  return path;
}

/** Makes a join token, and gives its file. */
export async function tokenFile(
  fleet: Fleet,
  admin: AdminClient,
  options: Partial<RequestOf<'token.create'>> = {},
): Promise<string> {
  const key = generateKeyBundle('user');
  const tokenId = key.publicKey.slice(1, 13);
  const request = { publicKey: key.publicKey, tokenId, ttl: 600, uses: 10, ...options };
  const { jwt } = await admin.ask('token.create', request);
  const path = join(fleet.home.dir, `token-${tokenId}.creds`);
  await writeCredsFile(path, jwt, key.seed);
  return path;
}

/** A running peel, and its events. */
export class TestPeel {
  readonly peel: Peel;
  readonly credsPath: string;
  readonly events: PeelEvent[];
  /** The last events with their times, for the message of a failed test. */
  readonly recentEvents: string[];

  constructor(peel: Peel, credsPath: string, events: PeelEvent[], recentEvents: string[]) {
    this.peel = peel;
    this.credsPath = credsPath;
    this.events = events;
    this.recentEvents = recentEvents;
  }

  static async start(
    fleet: { servers: string[] },
    credsPath: string,
    options: PeelSettings = {},
  ): Promise<TestPeel> {
    const events: PeelEvent[] = [];
    const recentEvents: string[] = [];
    const peel = await startPeel({
      servers: fleet.servers,
      credsPath,
      ...SHORT_WAITS,
      onEvent: (event) => {
        events.push(event);
        const { error } = event as { error?: Error };
        recentEvents.push(`${new Date().toISOString()} ${event.type} ${error?.message ?? ''}`);
        if (recentEvents.length > 20) recentEvents.shift();
      },
      ...options,
    });
    const end = async () => {
      await peel.nc.close();
      await peel.closed;
    };
    atEnd(end);
    return new TestPeel(peel, credsPath, events, recentEvents);
  }

  /** The events of a type, so far. */
  of<T extends PeelEvent['type']>(type: T): Extract<PeelEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<PeelEvent, { type: T }> => event.type === type);
  }

  /** Resolves with the `count`th event of a type, past or future. */
  event<T extends PeelEvent['type']>(
    type: T,
    count = 1,
    timeoutMs?: number,
  ): Promise<Extract<PeelEvent, { type: T }>> {
    return waitFor(`event ${count} of the type ${type}`, () => this.of(type)[count - 1], timeoutMs);
  }
}
