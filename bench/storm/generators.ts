// The generators of connections of a storm, as the bench drives them.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromGenerator, MadePeel, ToGenerator } from './messages.js';

type State = Extract<FromGenerator, { is: 'state' }>;

/** What all generators say together. */
export interface Accepted {
  accepted: number;
  wanted: number;
  attempts: number;
  /** When the last connection was accepted, in milliseconds since 1970. */
  lastAt: number;
  /** What servers said when they refused a connection, and how often. */
  refusals: Record<string, number>;
  /** Seconds of processor time. */
  cpu: number;
}

/** Child processes that keep connections open. They end with this process, however it ends. */
export class Generators {
  readonly #children: ChildProcess[];
  readonly #shares: readonly number[];
  readonly #states = new Map<ChildProcess, State>();
  #ended: Error | undefined;
  #isStopping = false;

  constructor(shares: readonly number[]) {
    this.#shares = shares;
    const path = fileURLToPath(new URL('generator.js', import.meta.url));
    this.#children = shares.map(() => fork(path, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }));
    for (const child of this.#children) {
      child.on('message', (message: FromGenerator) => {
        if (message.is === 'state') this.#states.set(child, message);
      });
      child.on('exit', (code, signal) => {
        if (!this.#isStopping)
          this.#ended = new Error(`a generator of connections ended (${signal ?? code})`);
      });
    }
  }

  /** Makes the keys and JWTs of all peels. @param onMade is called with each batch */
  async prepare(
    { account, seed }: { account: string; seed: string },
    onMade: (peels: readonly MadePeel[]) => void,
  ): Promise<void> {
    let from = 0;
    await Promise.all(
      this.#children.map(async (child, i) => {
        const count = this.#shares[i] ?? 0;
        const start = from;
        from += count;
        const made = new Promise<void>((resolve, reject) => {
          child.on('message', (message: FromGenerator) => {
            if (message.is !== 'made') return;
            onMade(message.peels);
            if (message.done) resolve();
          });
          child.once('exit', () => reject(new Error('a generator of connections ended')));
        });
        say(child, { do: 'prepare', from: start, count, account, seed });
        await made;
      }),
    );
  }

  connect(servers: readonly { host: string; port: number }[]): void {
    this.#children.forEach((child, i) => {
      const server = servers[i % servers.length];
      if (server !== undefined) say(child, { do: 'connect', ...server });
    });
  }

  /** Closes some connections for good and lets others come back once, as many of each in each generator. */
  change(each: { gone: number; moved: number }): { gone: number; moved: number } {
    for (const child of this.#children) say(child, { do: 'change', ...each });
    const { length } = this.#children;
    return { gone: each.gone * length, moved: each.moved * length };
  }

  close(): void {
    for (const child of this.#children) say(child, { do: 'close' });
  }

  /** How many connect to a server when there are as many servers. */
  shareOf(server: number, servers: number): number {
    return this.#shares.reduce((sum, share, i) => (i % servers === server ? sum + share : sum), 0);
  }

  /** @throws Error when a generator has ended */
  state(): Accepted {
    if (this.#ended !== undefined) throw this.#ended;
    const states = [...this.#states.values()];
    const sum = (of: (state: State) => number) => states.reduce((total, state) => total + of(state), 0);
    const refusals: Record<string, number> = {};
    for (const state of states) {
      for (const [text, times] of Object.entries(state.refusals)) {
        refusals[text] = (refusals[text] ?? 0) + times;
      }
    }
    return {
      accepted: sum(({ accepted }) => accepted),
      wanted: sum(({ wanted }) => wanted),
      attempts: sum(({ attempts }) => attempts),
      lastAt: Math.max(0, ...states.map(({ lastAt }) => lastAt)),
      refusals,
      cpu: sum(({ cpu }) => cpu),
    };
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        if (child.connected) child.disconnect();
        const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
        await ended;
        clearTimeout(timer);
      }),
    );
  }
}

function say(child: ChildProcess, message: ToGenerator): void {
  if (child.connected) child.send(message);
}
