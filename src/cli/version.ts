// The version that the command reports.
export { packageVersion, VERSION } from '../protocol/package-version.js';
