// Sink: writes files on hosts over ssh.
import { BulkError, UsageError } from '../../errors.js';
import { execSink, type ExecSinkOptions } from './exec.js';
import { shellWord } from '../../text/shell-word.js';
import type { CredentialSink } from './sink.js';

/** The options of the ssh sink. */
export interface SshSinkOptions extends Omit<ExecSinkOptions, 'commandOf'> {
  /** The host of a peel, as `ssh` accepts it. */
  hostOf(peelId: string): string;
  /** The file on the host; `{id}` stands for the peel ID. Its directory must exist. */
  path: string;
  /** Additional arguments of `ssh`, such as `-p 2222`. */
  sshArguments: readonly string[];
  /** The program; `ssh` by default. */
  ssh?: string;
}

/**
 * Writes each credential to a host with `ssh`, atomically like `writeSecretFile` locally: into a new file next to the
 * path, mode 0600 from the start, complete, synced, then renamed over the path.
 *
 * @throws UsageError for an invalid path
 */
export function sshSink(options: SshSinkOptions): CredentialSink {
  const { path, hostOf, sshArguments, ssh = 'ssh', ...rest } = options;
  if (!path.startsWith('/') || path.endsWith('/') || /[\0\n\r]/.test(path)) {
    throw new UsageError(`"${path}" is not the absolute path of a file`);
  }
  return execSink({
    ...rest,
    commandOf: (peelId, length) => [
      ssh,
      '-o',
      'BatchMode=yes',
      ...sshArguments,
      '--',
      checkedHost(hostOf(peelId)),
      remoteScript(path.replaceAll('{id}', peelId), length),
    ],
  });
}

/** Whether this is safe to pass to `ssh` as a host: a single word, and not an option. */
export function isHost(host: string): boolean {
  return /^[A-Za-z0-9_[][\w.@:%[\]-]*$/.test(host);
}

/** Prevents option injection, from a list as well as from a program. */
function checkedHost(host: string): string {
  if (isHost(host)) return host;
  throw new BulkError('ERR_BULK_DELIVERY', 'its host is not a valid host name or address');
}

/** The script for the host, for any POSIX shell. */
function remoteScript(path: string, length: number): string {
  // check the length: a broken connection looks like the end of the file
  return [
    'set -e; umask 077',
    `p=${shellWord(path)}; t=$(mktemp "$p.zester-XXXXXXXX")`,
    `trap 'rm -f "$t"' EXIT; trap 'exit 1' HUP INT TERM`,
    'cat > "$t"; chmod 600 "$t"',
    `n=$(wc -c < "$t"); if [ "$n" -ne ${length} ]; then echo "only $n of ${length} bytes came" >&2; exit 1; fi`,
    'if [ -d "$p" ]; then echo "$p is a directory" >&2; exit 1; fi',
    'sync "$t" 2>/dev/null || sync; mv -f "$t" "$p"; sync "${p%/*}/" 2>/dev/null || true',
  ].join('\n');
}
