// The JSON document of a peel.
import { fingerprint } from '../../protocol/fingerprint.js';
import type { Presence } from '../../protocol/records/presence.js';
import { shownKey, type PeelKey, type PeelRecord } from '../../protocol/records/record.js';
import type { Labels } from '../../protocol/records/labels.js';
import { isoTime } from '../../jwt/time.js';

/** A peel in `--json` output. Its keys are stable. */
export interface PeelDocument {
  id: string;
  state: PeelRecord['state'];
  connected: boolean;
  /** The key in use, and its fingerprint; of a pending peel, the key to accept; otherwise, the last one. */
  publicKey: string | null;
  fingerprint: string | null;
  keyState: PeelKey['state'] | null;
  issuedAt: string | null;
  /** null: never, or nothing was issued. */
  expiresAt: string | null;
  /** When it was last connected; now, if it is connected; null: never. */
  lastSeen: string | null;
  /** The start of its oldest connection; null: not connected. */
  connectedSince: string | null;
  rotationAskedAt: string | null;
  decided: { by: string; at: string; reason: string | null } | null;
  origin: string | null;
  labels: Labels;
  /** The number of recoveries after expiry, and the time of the last. */
  recoveries: { count: number; lastAt: string | null };
  createdAt: string;
  updatedAt: string;
}

/** @param now milliseconds since 1970: when the presence was read */
export function peelDocument(record: PeelRecord, presence?: Presence, now = Date.now()): PeelDocument {
  const key = shownKey(record);
  const since = (presence?.connections ?? []).map((connection) => connection.since).sort();
  return {
    id: record.id,
    state: record.state,
    connected: (presence?.connections.length ?? 0) > 0,
    publicKey: key?.publicKey ?? null,
    fingerprint: key === undefined ? null : fingerprint(key.publicKey),
    keyState: key?.state ?? null,
    issuedAt: isoOf(key?.issuedAt),
    expiresAt: isoOf(key?.expiresAt),
    lastSeen: since.length > 0 ? new Date(now).toISOString() : (presence?.lastSeen ?? null),
    connectedSince: since[0] ?? null,
    rotationAskedAt: record.rotationAskedAt ?? null,
    decided:
      record.decided === undefined
        ? null
        : {
            by: actorWords(record.decided.by),
            at: record.decided.at,
            reason: record.decided.reason ?? null,
          },
    origin: record.origin ?? null,
    labels: record.labels ?? {},
    recoveries: { count: record.recovery?.count ?? 0, lastAt: isoOf(record.recovery?.at.at(-1)) },
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
  };
}

/** Seconds since 1970 as ISO 8601. */
export function isoOf(seconds: number | undefined): string | null {
  return seconds === undefined ? null : isoTime(seconds).replace('.000Z', 'Z');
}

/** A short name of the deciding actor. */
export function actorWords({
  kind,
  name,
  role,
}: {
  kind: string;
  name: string;
  role?: string | undefined;
}): string {
  const words = name === '' || name === kind ? kind : `${kind} ${name}`;
  return role === undefined ? words : `${words} (${role})`;
}
