export { packageVersion } from '../protocol/package-version.js';
