// The version that the command reports.
export { packageVersion } from '../protocol/package-version.js';
