export { createTestTrust, type TestTrust } from '../../src/testing/trust.js';
