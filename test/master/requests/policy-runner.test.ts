import { describe, expect, it } from 'vitest';
import { PolicyRunner } from '../../../src/master/requests/policy-runner.js';
import type { JoinRequest, PolicyFunction } from '../../../src/master/requests/policy.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { SEED } from '../../support/refusal.js';

const request: JoinRequest = {
  peelId: 'web-1',
  publicKey: generateKeyBundle('user').publicKey,
  fingerprint: 'f',
  how: 'token',
  trusted: true,
  returning: false,
};

function runnerOf(policy: PolicyFunction, timeoutMs = 5_000) {
  const failures: string[] = [];
  const onFailure = (_request: JoinRequest, reason: string) => failures.push(reason);
  return { runner: new PolicyRunner({ policy, timeoutMs, onFailure, onStop: () => undefined }), failures };
}

const nonsense = (value: unknown) => (() => value) as unknown as PolicyFunction;
const never = () => new Promise<never>(() => undefined);
const { seed } = generateKeyBundle('user');

describe('a policy function', () => {
  it.each(['accept', 'reject', 'pending'] as const)('decides %s, at once or later', async (decision) => {
    for (const policy of [() => decision, async () => decision]) {
      const { runner, failures } = runnerOf(policy);
      expect(await runner.ask(request)).toBe(decision);
      expect(failures).toEqual([]);
    }
  });

  it.each<[string, PolicyFunction, string]>([
    [
      'throws',
      () => {
        throw new Error('no inventory');
      },
      'the policy threw: no inventory',
    ],
    ['rejects', () => Promise.reject(new Error('no inventory')), 'the policy threw: no inventory'],
    [
      'throws a value that cannot be displayed',
      () => {
        throw Object.create(null) as Error;
      },
      'the policy threw: something without a message',
    ],
    ['hangs', never, 'the policy did not answer within 0.05 s'],
    ['returns true', nonsense(true), 'the policy returned a boolean, not "accept", "reject" or "pending"'],
    [
      'returns nothing',
      nonsense(undefined),
      'the policy returned undefined, not "accept", "reject" or "pending"',
    ],
    [
      'returns another word',
      nonsense('yes'),
      'the policy returned "yes", not "accept", "reject" or "pending"',
    ],
    [
      'returns a promise of an object',
      nonsense(Promise.resolve({})),
      'the policy returned an object, not "accept", "reject" or "pending"',
    ],
  ])('that %s leaves the peel pending, and reports the reason', async (_what, policy, reason) => {
    const { runner, failures } = runnerOf(policy, 50);
    expect(await runner.ask(request)).toBe('pending');
    expect(failures).toEqual([reason]);
  });

  it('never shows a seed that it threw or returned', async () => {
    for (const policy of [nonsense(`x ${String(seed)}`), () => Promise.reject(new Error(String(seed)))]) {
      const { runner, failures } = runnerOf(policy);
      await runner.ask(request);
      expect(failures).toHaveLength(1);
      expect(failures[0]).not.toMatch(SEED);
    }
  });

  it('sees its signal aborted at the time limit, and a later result is ignored', async () => {
    let reason: unknown;
    const { runner, failures } = runnerOf(
      (_request, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(new Error('too late'));
          }),
        ),
      50,
    );
    expect(await runner.ask(request)).toBe('pending');
    expect(reason).toBeInstanceOf(Error);
    expect(failures).toEqual(['the policy did not answer within 0.05 s']);
  });

  it('is called once for concurrent requests with one key, with frozen input', async () => {
    const seen: JoinRequest[] = [];
    const { runner } = runnerOf((asked) => {
      seen.push(asked);
      expect(() => Object.assign(asked, { peelId: 'root' })).toThrow();
      return 'accept';
    });
    expect(await Promise.all([runner.ask(request), runner.ask(request)])).toEqual(['accept', 'accept']);
    expect(await runner.ask(request)).toBe('accept');
    expect(seen).toEqual([request, request]);
  });

  it('is not awaited when the master stops, which is not a failure', async () => {
    const { runner, failures } = runnerOf(never);
    const asking = runner.ask(request);
    runner.stop();
    expect(await asking).toBe('pending');
    expect(await runner.ask(request)).toBe('pending');
    expect(failures).toEqual([]);
  });
});
