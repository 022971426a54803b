// Runs a part of a bench in a process for each implementation of Ed25519: a process uses one.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const BACKENDS = { 'node:crypto': 'node', 'sodium-native': 'sodium' } as const;
export type Backend = keyof typeof BACKENDS;

/** What a part measured: times of one run in microseconds, and ratios of two subjects, each within one round. */
export interface PartResult {
  times: Record<string, number>;
  ratios: Record<string, number>;
}

/** Runs a program beside this file on each backend. */
export function onEachBackend(program: string): Record<Backend, PartResult> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const results = Object.entries(BACKENDS).map(([backend, choice]) => {
    const env = { ...process.env, ZESTER_ED25519: choice };
    const output = execFileSync(process.execPath, [path], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return [backend, JSON.parse(output) as PartResult] as const;
  });
  return Object.fromEntries(results) as Record<Backend, PartResult>;
}
