// Syncs a whole file system with one call for many files.
import { spawn, type ChildProcess } from 'node:child_process';
import { release } from 'node:os';

/** Reads a line, has the file system of the directory in its first argument synced, and says whether it was: 0 or not. */
const PROGRAM = 'while read -r line; do sync -f -- "$1"; echo "$?"; done';

/**
 * Has a file system write everything that it holds back to its disk.
 *
 * One such call for hundreds of new files is as good as an fsync of each, and a disk takes more files a second with it.
 * Node.js has no call for syncfs(2); `sync -f` of GNU coreutils, and of BusyBox, makes it. It is started by a shell that
 * continues for as long as this is open: to start a process costs one with many threads a lot, and a shell next to nothing.
 */
export class FileSystemSync {
  readonly #directory: string;
  #shell: ChildProcess | undefined;
  #answer: (done: boolean) => void = () => undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Syncs it. One call at a time.
   *
   * @returns whether it was done: if not, each file is to be synced by itself, which also tells what is wrong with which.
   *   Never done on other systems than Linux 5.8 or later: before, syncfs does not say when data could not be written
   *   (syncfs(2), "Versions")
   */
  run(): Promise<boolean> {
    if (!SAYS_WHAT_FAILED) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#shell ??= this.#start();
      if (this.#shell.exitCode === null && this.#shell.signalCode === null) this.#shell.stdin?.write('\n');
      else resolve(false);
    });
  }

  /** Ends the shell. */
  close(): void {
    this.#shell?.stdin?.end();
  }

  #start(): ChildProcess {
    // in a session of its own: an interrupt is for this program, which ends what it has begun
    const shell = spawn('sh', ['-c', PROGRAM, 'sh', this.#directory], {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    });
    const failed = () => this.#answer(false);
    shell.on('error', failed).on('exit', failed);
    shell.stdin.on('error', failed);
    shell.stdout.setEncoding('utf8').on('data', (code: string) => this.#answer(code === '0\n'));
    return shell;
  }
}

const SAYS_WHAT_FAILED = process.platform === 'linux' && isAtLeast(release(), 5, 8);

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [ofMajor = 0, ofMinor = 0] = version.split(/[.-]/, 2).map(Number);
  return ofMajor > major || (ofMajor === major && ofMinor >= minor);
}
