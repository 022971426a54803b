/**
 * `npm run bench -- [issue] [verify] [revoke] [start] [startup] [bulk] [fleet] [signed] [flood] [connect] [rotate] [registry N…] [recovery N…] [storm N…]`:
 * what is named, or everything but the recovery and the storm. Ends with 1 when a bar is not met.
 */
const BENCHES: Readonly<Record<string, (sizes: readonly number[]) => Promise<boolean>>> = {
  issue: async () => (await import('./issue.js')).issue(),
  connect: async () => (await import('./connect.js')).connectBench(),
  rotate: async () => (await import('./rotate.js')).rotate(),
  verify: async () => (await import('./verify.js')).verify(),
  start: async () => (await import('./start.js')).start(),
  bulk: async () => (await import('./bulk.js')).bulk(),
  startup: async () => (await import('./startup.js')).startup(),
  fleet: async () => (await import('./fleet.js')).fleet(),
  signed: async () => (await import('./signed.js')).signed(),
  revoke: async () => (await import('./revoke.js')).revokeBench(),
  flood: async () => (await import('./flood.js')).flood(),
  registry: async (sizes) => (await import('./registry.js')).registry(sizes),
  recovery: async (sizes) => (await import('./recovery.js')).recovery(sizes),
  storm: async (sizes) => (await import('./storm.js')).storm(sizes),
};
/** Takes the whole machine for minutes: only when it is named. */
const ONLY_NAMED = ['storm', 'recovery'];
/** Take numbers of peels. */
const SIZED = ['storm', 'registry', 'recovery'];

const given = process.argv.slice(2);
const sizes = given.filter((word) => /^\d+$/.test(word)).map(Number);
const named = given.filter((word) => !/^\d+$/.test(word));
const unknown = named.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`no such bench: ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exitCode = 2;
} else if (sizes.includes(0) || (sizes.length > 0 && !named.some((name) => SIZED.includes(name)))) {
  console.error('only storm, registry and recovery take numbers of peels, such as: storm 2000 16000');
  process.exitCode = 2;
} else {
  const all = Object.keys(BENCHES).filter((name) => !ONLY_NAMED.includes(name));
  for (const name of named.length === 0 ? all : named) {
    if ((await BENCHES[name]?.(sizes)) !== true) process.exitCode ??= 1;
  }
}
