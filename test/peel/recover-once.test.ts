import { describe, expect, it } from 'vitest';
import type { CredsFile } from '../../src/creds/creds-file.js';
import { FleetError } from '../../src/errors.js';
import type { PeelEvent } from '../../src/peel/events.js';
import { recoverOnce } from '../../src/peel/recover-once.js';
import type { Recovered } from '../../src/peel/recovery.js';
import { newCreds } from './credentials.js';
import { refusal } from '../support/refusal.js';

const before = newCreds();
const after = newCreds();

/** One attempt of a peel, connected or not, and what it did. */
async function attempted(outcome: Recovered | Error, { isConnected = true } = {}) {
  const did: string[] = [];
  const events: PeelEvent[] = [];
  const asked: CredsFile[] = [];
  const inUse = {
    current: before,
    jwtInUse: before.jwt,
    refresh: () => void did.push('refresh'),
    stored: () => void did.push('stored'),
    hold: () => void did.push('hold'),
  };
  const attempt = await recoverOnce({
    recovery: {
      attempt: async (current) => {
        asked.push(current);
        if (outcome instanceof Error) throw outcome;
        return outcome;
      },
    },
    credentials: {
      inUse: isConnected ? inUse : undefined,
      loadNow: async () => before,
      forgetLoaded: () => void did.push('forgetLoaded'),
    },
    emit: (event) => void events.push(event),
  });
  return { attempt, did, events, asked };
}

describe('an attempt to recover', () => {
  it('uses the new credentials, and reports them', async () => {
    const { attempt, did, events } = await attempted({ is: 'recovered', creds: after });
    expect(attempt).toEqual({ result: 'recovered' });
    expect(did).toEqual(['stored', 'forgetLoaded']);
    expect(events).toMatchObject([
      { type: 'recovered', publicKey: after.publicKey, replaces: before.publicKey },
    ]);
  });

  it('keeps new credentials in memory that could not be written', async () => {
    const { did, events } = await attempted({ is: 'recovered', creds: after, notWritten: new Error('full') });
    expect(did).toEqual(['hold', 'forgetLoaded']);
    expect(events).toMatchObject([{ type: 'recovered' }]);
  });

  it('fails at the start if the new credentials cannot be written, since nothing keeps them', async () => {
    const notWritten = new Error('full');
    const outcome = { is: 'recovered', creds: after, notWritten } as const;
    const { attempt, did, events } = await attempted(outcome, { isConnected: false });
    expect(attempt).toEqual({ result: 'failed', cause: notWritten });
    expect(did).toEqual([]);
    expect(events).toEqual([]);
  });

  it('asks at the start for what its source has now', async () => {
    const { asked } = await attempted({ is: 'notExpired' }, { isConnected: false });
    expect(asked).toEqual([before]);
  });

  it('looks for the credentials of another program that has replaced them', async () => {
    const { attempt, did } = await attempted({ is: 'replaced' });
    expect(attempt).toEqual({ result: 'replaced' });
    expect(did).toEqual(['refresh', 'forgetLoaded']);
  });

  it('gives the fingerprint of the key that an admin has to accept', async () => {
    const { attempt, did } = await attempted({ is: 'pending', fingerprint: '5b1f-09aa' });
    expect(attempt).toEqual({ result: 'pending', cause: '5b1f-09aa' });
    expect(did).toEqual([]);
  });

  it('returns the error if a retry may succeed', async () => {
    const error = new FleetError('ERR_FLEET_NO_MASTER', 'no master answers');
    expect((await attempted(error)).attempt).toEqual({ result: 'failed', cause: error });
  });

  it('throws if a master refuses permanently', async () => {
    const error = new FleetError('ERR_FLEET_REVOKED', 'revoked', { final: true });
    await refusal('ERR_FLEET_REVOKED', () => attempted(error));
  });

  it('is not made without a recovery credential', async () => {
    const credentials = { inUse: undefined, loadNow: async () => before, forgetLoaded: () => undefined };
    const emit = () => undefined;
    expect(await recoverOnce({ recovery: undefined, credentials, emit })).toEqual({ result: 'unavailable' });
  });
});
