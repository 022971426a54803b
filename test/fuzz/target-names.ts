// The names of the targets, for modules that must not load the fuzzed code.
export const TARGET_NAMES = [
  '.creds files',
  'keys and seeds',
  'JWTs as text',
  'claims, signed',
  'requests and answers',
  'signed messages',
  'records and audit events',
  'server events',
  'server replies',
  'configuration',
  'lists of peels',
  'backups',
  'backups, encrypted',
  'files of a home',
  'text',
] as const;
export type TargetName = (typeof TARGET_NAMES)[number];
