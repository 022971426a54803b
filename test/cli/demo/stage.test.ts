import { afterEach, beforeEach, it, vi } from 'vitest';
import { within } from '../../../src/cli/demo/stage.js';
import { DEMO_TIMEOUT_MS } from '../../../src/timing.js';
import { refusal } from '../../support/refusal.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

// a rejection without a handler would end the demo with a stack trace, and fails the test run
it('lets a step of the demo fail before it awaits an event that never arrives', async () => {
  const arrival = within<void>('the event', () => undefined);
  vi.advanceTimersByTime(DEMO_TIMEOUT_MS);
  await nextTurn();
  await refusal('ERR_EXPECTATION', () => arrival);
});
