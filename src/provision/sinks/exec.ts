// Sink: runs a program for each credential.
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { BulkError, redactSeeds, UsageError } from '../../errors.js';
import type { PeelCredential } from '../issue-batch.js';
import type { CredentialSink } from './sink.js';
import { excerpt } from '../../text/excerpt.js';
import { PROGRAM_RETRY_MS } from '../../timing.js';

/** How to run the program for each credential. */
export interface ExecSinkOptions {
  /** The program and its arguments, for one peel. */
  commandOf(peelId: string, contentLength: number): readonly string[];
  /** The maximum number of concurrent programs. */
  parallel: number;
  /** Maximum retries of a failed program, with the same credential. */
  retries: number;
  /** Milliseconds before the first retry; doubled for each further retry. */
  retryDelayMs?: number;
  /** Timeout of one run, in milliseconds: the program is killed, and has failed. */
  timeoutMs: number;
  env: Readonly<Record<string, string | undefined>>;
  /** No retries once this is aborted. */
  signal: AbortSignal;
}

/** Characters kept of a failed program's output. */
const MAX_STDERR = 4_096;

/**
 * Runs a program for each credential, with the text of the `.creds` file on its standard input, and `ZESTER_PEEL_ID`
 * and `ZESTER_PUBLIC_KEY` in its environment. Its standard output is discarded; its standard error is shown if it
 * fails.
 */
export function execSink(options: ExecSinkOptions): CredentialSink {
  const { retries, retryDelayMs = PROGRAM_RETRY_MS, signal } = options;
  return {
    concurrency: options.parallel,
    async deliver(credential) {
      for (let attempt = 0; ; attempt++) {
        const failure = await run(credential, options);
        if (failure === undefined) return;
        if (attempt >= retries || signal.aborted) {
          const tries = attempt === 0 ? '' : ` (tried ${attempt + 1} times)`;
          throw new BulkError('ERR_BULK_DELIVERY', `${failure}${tries}`);
        }
        await delay(retryDelayMs * 2 ** attempt, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}

/** @returns a description of the failure; undefined on success */
function run(credential: PeelCredential, options: ExecSinkOptions): Promise<string | undefined> {
  const { peelId, publicKey, content } = credential;
  const [program = '', ...args] = options.commandOf(peelId, content.length);
  const env = { ...options.env, ZESTER_PEEL_ID: peelId, ZESTER_PUBLIC_KEY: publicKey };
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'pipe'],
      env,
    });
    // not spawn's own `timeout`: that timer keeps running if the program cannot be started
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
      // its children may hold its standard error open; do not wait for them
      child.stderr.destroy();
    }, options.timeoutMs);
    let stderr = '';
    child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (stderr = (stderr + text).slice(-MAX_STDERR)));
    // a program may choose not to read everything; its exit code says whether it succeeded
    child.stdin.on('error', () => undefined);
    child.on('error', (cause: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      if (cause.code === 'ENOENT' || cause.code === 'EACCES') {
        const why = cause.code === 'ENOENT' ? 'program not found' : 'permission denied';
        reject(new UsageError(`cannot run ${program}: ${why}`, { cause }));
      } else {
        resolve(`${program} could not be started: ${cause.code ?? cause.message}`);
      }
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(undefined);
      const how =
        signal === null
          ? `ended with ${code}`
          : late
            ? `took more than ${options.timeoutMs / 1000} s`
            : `was ended by ${signal}`;
      const last =
        redactSeeds(stderr)
          .trim()
          .split(/\s*\n\s*/)
          .at(-1) ?? '';
      resolve(`${program} ${how}${last === '' ? '' : `: ${excerpt(last, 300)}`}`);
    });
    child.stdin.end(content);
  });
}
