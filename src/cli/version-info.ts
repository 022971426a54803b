// The document of `zester --version --json`.
import { ed25519Info, type Ed25519Info } from '../nkeys/ed25519.js';
import { packageVersion } from '../protocol/package-version.js';

/** The version, and the Ed25519 backend of long-running commands on this machine. */
export interface VersionInfo {
  version: string;
  node: string;
  ed25519: Ed25519Info;
}

/** @throws KeyError `ERR_KEY_BACKEND` */
export function versionInfo(): VersionInfo {
  return { version: packageVersion(), node: process.versions.node, ed25519: ed25519Info() };
}
