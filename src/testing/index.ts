// The public API of `zester/testing`.

/**
 * For the tests of programs that use Zester: `zester/testing`. An ephemeral nats-server, a trust domain, credentials, and a
 * whole fleet in a box, with a clock that the test moves. It works with any test runner. Importing it starts nothing.
 *
 * @packageDocumentation
 * @module zester/testing
 */
export { startTestFleet, TestFleet, type TestFleetOptions, type TestFleetPeelOptions } from './test-fleet.js';
export { startTestServer, TestServer, type TestServerOptions } from './test-server.js';
export { TestCredentials, type TestPeelCredsOptions, type TestUserOptions } from './credentials.js';
export { createTestTrust, type TestAccount, type TestTrust, type TestTrustOptions } from './trust.js';
export { EphemeralServer } from './ephemeral-server.js';
export { TestClock } from './clock.js';
