export { packageVersion } from '../fleet/package-version.js';
