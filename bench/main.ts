/** `npm run bench -- [issue] [verify] [revoke] [start] [startup] [bulk] [fleet] [signed] [flood] [connect] [rotate] …`: what is named, or everything. Ends with 1 when a bar is not met. */
const BENCHES: Readonly<Record<string, () => Promise<boolean>>> = {
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
};

const named = process.argv.slice(2);
const unknown = named.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`no such bench: ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exitCode = 2;
} else {
  for (const name of named.length === 0 ? Object.keys(BENCHES) : named) {
    if ((await BENCHES[name]?.()) !== true) process.exitCode = 1;
  }
}
