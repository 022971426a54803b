// Resolves TLS settings from flags, environment and home.
import { isAbsolute, join, resolve } from 'node:path';

/** The files for TLS, as the client's option `tls` takes them. They are read at each connect. */
export interface TlsFiles {
  /** The authorities that a server's certificate may come from. */
  caFile?: string;
  /** This side's certificate and its key, where the server asks for one. */
  certFile?: string;
  keyFile?: string;
}

/** How connections are encrypted. */
export interface TlsSettings {
  tls?: TlsFiles;
  requireTls?: boolean;
}

/** What a command line says. */
export interface TlsFlags {
  tlsCa?: string | undefined;
  tlsCert?: string | undefined;
  tlsKey?: string | undefined;
  requireTls?: boolean | undefined;
}

/**
 * How to connect with TLS: each of it as the flags say, else as the environment says (`ZESTER_TLS_CA`, `ZESTER_TLS_CERT`,
 * `ZESTER_TLS_KEY`, `ZESTER_REQUIRE_TLS`), else as the home says. A certificate and its key come from one place.
 */
export function tlsSettings(
  flags: TlsFlags,
  ofHome: TlsSettings = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): TlsSettings {
  const said = (flag: string | undefined, variable: string) => pathOf(flag) ?? pathOf(env[variable]);
  const caFile = said(flags.tlsCa, 'ZESTER_TLS_CA') ?? ofHome.tls?.caFile;
  const certFile = said(flags.tlsCert, 'ZESTER_TLS_CERT');
  const keyFile = said(flags.tlsKey, 'ZESTER_TLS_KEY');
  const own =
    certFile === undefined && keyFile === undefined
      ? { certFile: ofHome.tls?.certFile, keyFile: ofHome.tls?.keyFile }
      : { certFile, keyFile };
  const requireTls = flags.requireTls ?? booleanOf(env['ZESTER_REQUIRE_TLS']) ?? ofHome.requireTls;
  const tls = tlsFiles({ caFile, ...own });
  return { ...(tls !== undefined && { tls }), ...(requireTls !== undefined && { requireTls }) };
}

/** The files of a home's settings: a path that is not absolute is seen from the home. */
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

/** Anything but a clear "no" requires TLS. */
function booleanOf(text: string | undefined): boolean | undefined {
  if (text === undefined || text === '') return undefined;
  return !/^(0|false|no|off)$/i.test(text);
}
