export { freePort, freePorts } from '../../src/testing/free-ports.js';
