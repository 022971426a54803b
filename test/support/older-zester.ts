import { buildSync } from 'esbuild';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEnd } from './cleanup.js';
import { tempDir } from './temp-dir.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The sources of an earlier commit. */
export class OlderZester {
  readonly #main: string;

  private constructor(main: string) {
    this.#main = main;
  }

  /** @returns undefined: this is not a clone that has the commit */
  static async at(commit: string): Promise<OlderZester | undefined> {
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', root, ...args], { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 64e6 });
    let archive: Buffer;
    try {
      archive = git('archive', '--format=tar', commit, 'src', 'package.json', 'tsconfig.json');
    } catch {
      return undefined;
    }
    const dir = await tempDir();
    execFileSync('tar', ['-x', '-C', dir], { input: archive });
    await symlink(join(root, 'node_modules'), join(dir, 'node_modules'));
    // as JavaScript it starts several times as fast
    const sources = readdirSync(join(dir, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => /(?<!\.d)\.ts$/.test(path) && !path.startsWith('ui'))
      .map((path) => join(dir, 'src', path));
    const compiled = join(dir, 'compiled');
    buildSync({
      entryPoints: sources,
      outdir: compiled,
      outbase: join(dir, 'src'),
      format: 'esm',
      target: 'node20',
    });
    return new OlderZester(join(compiled, 'cli', 'main.js'));
  }

  /** Starts a command line of that version as a process; killed after the last test at the latest. */
  start(args: readonly string[], env: Readonly<Record<string, string>>) {
    const child = spawn(process.execPath, [this.#main, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (output += data.toString()));
    const exited = once(child, 'close').then(([code]) => code as number | null);
    atEnd(async () => {
      child.kill('SIGKILL');
      await exited;
    });
    return { output: () => output, kill: (signal: NodeJS.Signals) => void child.kill(signal), exited };
  }

  /** Runs a command line of that version, which must exit with 0. */
  async run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
    const { exited, output } = this.start(args, env);
    const code = await exited;
    if (code !== 0) throw new Error(`the older zester ${args.join(' ')} ended with ${code}: ${output()}`);
    return output();
  }
}
