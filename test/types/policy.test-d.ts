import { Registry } from 'prom-client';
import {
  startMaster,
  type JoinRequest,
  type MasterOptions,
  type MetricsRegistry,
  type PolicyDecision,
  type PolicyFunction,
} from 'zester/master';

// as programs write them
export const policies: NonNullable<MasterOptions['policy']>[] = [
  'manual',
  () => 'accept',
  async () => 'accept',
  () => Promise.resolve('reject'),
  async () => {
    await Promise.resolve();
    return 'pending';
  },
  (request) => (request.trusted ? 'accept' : Promise.resolve('pending')),
  async function (request) {
    if (request.returning) return 'reject';
    return 'pending';
  },
  async ({ peelId }) => {
    await Promise.resolve();
    return peelId.startsWith('web-') ? 'accept' : 'pending';
  },
  async ({ peelId, token }, { signal }) => {
    if (token === undefined) return 'reject';
    const { ok } = await fetch(`https://inventory.example/${peelId}`, { signal });
    return ok ? 'accept' : 'pending';
  },
];
// in each place where it is written
export const named: PolicyFunction = async () => 'accept';
export const inOptions: MasterOptions = { home: 'home', policy: async () => 'accept' };
export const asMethod: MasterOptions = {
  home: 'home',
  async policy() {
    return 'accept';
  },
};
export const inCall = () => startMaster({ home: 'home', policy: async () => 'accept' });
export const callable = (policy: PolicyFunction, request: JoinRequest, signal: AbortSignal) =>
  policy(request, { signal }) satisfies PolicyDecision | Promise<PolicyDecision>;
export class Inventory {
  readonly #decisions = new Map<string, PolicyDecision>();
  readonly policy: PolicyFunction = async ({ peelId }) => this.#decisions.get(peelId) ?? 'pending';
}

// @ts-expect-error not a decision
export const wrong: PolicyFunction = async () => 'yes';
// @ts-expect-error not a decision
export const wrongSync: PolicyFunction = () => 'yes';
// @ts-expect-error not always a decision
export const missing: PolicyFunction = async ({ trusted }) => {
  if (trusted) return 'accept';
};
// @ts-expect-error there is no such fact
export const unknown: PolicyFunction = async ({ hostname }) => (hostname === 'x' ? 'accept' : 'reject');
// @ts-expect-error no policy has this name
export const misspelled: MasterOptions['policy'] = 'auto-trsuted';

// a registry of prom-client, and one of one's own
export const registries: MetricsRegistry[] = [new Registry(), { registerMetric: ({ get }) => void get }];
