import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tempDir } from '../../support/temp-dir.js';
import { childInput } from '../../support/child-input.js';

/** Debian's directory for the sources of Go libraries. */
const GOPATH = '/usr/share/gocode';
const PACKAGES = {
  'golang-github-nats-io-jwt-dev': 'github.com/nats-io/jwt/v2',
  'golang-github-nats-io-nkeys-dev': 'github.com/nats-io/nkeys',
  'golang-github-nats-io-go-nats-dev': 'github.com/nats-io/nats.go',
};

/** What this machine lacks for the tests against Go, for the names of skipped tests; undefined: nothing. */
export const goMissing: string | undefined = whatIsMissing();

function whatIsMissing(): string | undefined {
  try {
    execFileSync('go', ['version'], { stdio: 'pipe' });
  } catch {
    return 'there is no go: apt-get install golang-go';
  }
  const missing = Object.entries(PACKAGES).filter(([, path]) => !existsSync(join(GOPATH, 'src', path)));
  if (missing.length === 0) return undefined;
  return `Go libraries are missing: apt-get install ${missing.map(([name]) => name).join(' ')}`;
}

/** Runs a command of `go/main.go`, and returns its output. */
export type GoProgram = <T>(args: readonly string[], input?: string) => Promise<T>;

/** Builds `go/main.go` into a directory that is removed after the last test. */
export async function buildGoProgram(): Promise<GoProgram> {
  const source = fileURLToPath(new URL('./go/main.go', import.meta.url));
  const program = join(await tempDir(), 'compat');
  const env = { ...process.env, GO111MODULE: 'off', GOPATH, GOFLAGS: '' };
  await promisify(execFile)('go', ['build', '-o', program, source], { env, timeout: 240_000 });
  return <T>(args: readonly string[], input = '') =>
    new Promise<T>((resolve, reject) => {
      const child = execFile(
        program,
        args,
        { timeout: 60_000, maxBuffer: 1 << 24 },
        (error, stdout, stderr) => {
          if (error) reject(new Error(`the Go program failed: ${stderr}`, { cause: error }));
          else resolve(JSON.parse(stdout) as T);
        },
      );
      childInput(child).end(input);
    });
}
