// Says why the system refused to write.

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
  EACCES: 'no permission',
};

/** The words for the code of a system error, for a message. @example systemReason('ENOSPC'); // 'the disk is full' */
export function systemReason(code: string | undefined): string {
  return REASONS[code ?? ''] ?? `${code}`;
}
