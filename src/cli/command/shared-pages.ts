// The options and exit codes that docs/cli.md and the man page describe once, for all commands.
import type { Terms } from './page.js';

export const CONNECTION_OPTIONS: Terms = [
  [
    '--home <dir>',
    'directory of the trust domain (default: $ZESTER_HOME, else $XDG_DATA_HOME/zester, else ~/.local/share/zester)',
  ],
  [
    '--servers <url...>',
    "server URLs; tls:// requires TLS (default: $ZESTER_SERVERS, else the home's, else nats://127.0.0.1:4222)",
  ],
  [
    '--tls-ca <file>',
    "trusted certificate authorities for servers, PEM (default: $ZESTER_TLS_CA, else the home's, else those of Node.js)",
  ],
  [
    '--tls-cert <file>',
    "client certificate, PEM, if the servers require one (default: $ZESTER_TLS_CERT, else the home's)",
  ],
  ['--tls-key <file>', "client key, PEM (default: $ZESTER_TLS_KEY, else the home's)"],
  [
    '--require-tls',
    "refuse URLs without tls://, except this machine's (default: $ZESTER_REQUIRE_TLS, else the home's setting)",
  ],
  ['--creds <file>', "admin credentials (default: $ZESTER_CREDS, else the home's creds/admin.creds)"],
  [
    '--system-creds <file>',
    "credentials of a user of the system account (default: the home's creds/system.creds)",
  ],
];

export const EXIT_CODES: Terms = [
  ['0', 'done'],
  ['1', 'failed, or partly done: a file, the disk, a missing program, some of several peels'],
  ['2', 'usage error'],
  ['3', 'refused: not trusted, expired, revoked or not allowed'],
  ['4', 'no server or master could be reached, or a server did not confirm a change'],
  ['129, 130, 143', 'stopped by SIGHUP, SIGINT (Ctrl-C) or SIGTERM, after cleaning up'],
];
