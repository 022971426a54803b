// Resolves the TLS settings from flags, environment and home.
import { isAbsolute, join, resolve } from 'node:path';

/** The TLS files, in the form of the client's option `tls`; read at each connect. */
export interface TlsFiles {
  /** The trusted certificate authorities. */
  caFile?: string;
  /** The client certificate and its key, if the server requires one. */
  certFile?: string;
  keyFile?: string;
}

/** The TLS settings of connections. */
export interface TlsSettings {
  tls?: TlsFiles;
  requireTls?: boolean;
}

/** The command-line options. */
export interface TlsFlags {
  tlsCa?: string | undefined;
  tlsCert?: string | undefined;
  tlsKey?: string | undefined;
  requireTls?: boolean | undefined;
}

/**
 * Resolves the TLS settings: each from the flags, else from the environment (`ZESTER_TLS_CA`,
 * `ZESTER_TLS_CERT`, `ZESTER_TLS_KEY`, `ZESTER_REQUIRE_TLS`), else from the home. A certificate and its key come from
 * the same source.
 */
export function tlsSettings(
  flags: TlsFlags,
  ofHome: TlsSettings = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): TlsSettings {
  const chosen = (flag: string | undefined, variable: string) => pathOf(flag) ?? pathOf(env[variable]);
  const caFile = chosen(flags.tlsCa, 'ZESTER_TLS_CA') ?? ofHome.tls?.caFile;
  const certFile = chosen(flags.tlsCert, 'ZESTER_TLS_CERT');
  const keyFile = chosen(flags.tlsKey, 'ZESTER_TLS_KEY');
  const own =
    certFile === undefined && keyFile === undefined
      ? { certFile: ofHome.tls?.certFile, keyFile: ofHome.tls?.keyFile }
      : { certFile, keyFile };
  const requireTls = flags.requireTls ?? booleanOf(env['ZESTER_REQUIRE_TLS']) ?? ofHome.requireTls;
  const tls = tlsFiles({ caFile, ...own });
  return { ...(tls !== undefined && { tls }), ...(requireTls !== undefined && { requireTls }) };
}

/** The TLS files in a home's settings; relative paths are relative to the home. */
export function homeTls(
  home: string,
  tls: { [N in keyof TlsFiles]?: string | undefined },
): TlsFiles | undefined {
  const at = (path: string | undefined) => (path === undefined || isAbsolute(path) ? path : join(home, path));
  return tlsFiles({ caFile: at(tls.caFile), certFile: at(tls.certFile), keyFile: at(tls.keyFile) });
}

function tlsFiles({
  caFile,
  certFile,
  keyFile,
}: {
  [N in keyof TlsFiles]?: string | undefined;
}): TlsFiles | undefined {
  if (caFile === undefined && certFile === undefined && keyFile === undefined) return undefined;
  return {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
  };
}

function pathOf(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : resolve(text);
}

/** Any value except an explicit "no" requires TLS. */
function booleanOf(text: string | undefined): boolean | undefined {
  if (text === undefined || text === '') return undefined;
  return !/^(0|false|no|off)$/i.test(text);
}
