// The tests in a browser: "npm run test:ui". They need Debian's chromium and a built dist/.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/ui/**/*.browser.ts'],
    env: { ZESTER_ED25519: 'node' },
    setupFiles: ['test/support/end-of-file.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
  },
});
