// A fleet, its HTTP interface with the page, and a browser in front of it.
import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { LiveFleet } from '../../src/cli/api/live-fleet.js';
import { readPageFiles } from '../../src/cli/api/page-files.js';
import { serveApi, type RunningApi } from '../../src/cli/api/serve-api.js';
import { examine } from '../../src/doctor/examine.js';
import { connectFleet } from '../../src/fleet-client/connect-fleet.js';
import type { AdminRole } from '../../src/permissions/admin-roles.js';
import { joinFleet } from '../../src/peel/join.js';
import { fingerprint } from '../../src/protocol/fingerprint.js';
import { join } from 'node:path';
import { atEnd } from '../support/cleanup.js';
import { tempDir } from '../support/temp-dir.js';
import type { Fleet } from '../integration/fleet/fleet.js';
import { tokenFile } from '../integration/fleet/peels.js';

/** Debian's browser, or one named by the environment. */
const CHROMIUM = process.env['ZESTER_CHROMIUM'] ?? '/usr/bin/chromium';

/** Flags that stop the browser's own network requests. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function startBrowser(): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  atEnd(() => browser.close());
  return browser;
}

/** Serves the page of a fleet. */
export async function servePage(fleet: Fleet, role: AdminRole = 'owner'): Promise<RunningApi> {
  const domain = await fleet.home.domain();
  const client = await connectFleet({ ...fleet.connection, credentials: domain.paths.adminCreds });
  atEnd(() => client.close());
  const live = new LiveFleet(client, Date.now);
  const directory = await tempDir();
  const api = await serveApi({
    host: '127.0.0.1',
    port: 0,
    role,
    tokensOf: domain.home,
    page: await readPageFiles(),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    context: {
      fleet: client,
      live,
      now: Date.now,
      version: '0.0.0',
      home: {
        open: () => fleet.home.domain(),
        doctor: async () => {
          const found = await examine(domain.home, { servers: fleet.servers });
          return Object.entries(found).flatMap(([part, list]) =>
            (list as (typeof found)['home']).map((finding) => ({ part, ...finding })),
          );
        },
      },
      writeToken: async ({ id }) => join(directory, `join-${id}.creds`),
    },
  });
  atEnd(async () => {
    live.close();
    await api.close();
  });
  return api;
}

/** Checks a page: no errors, no policy violations, no requests to other sites. */
export interface WatchedPage {
  page: Page;
  problems: string[];
}

/** Opens the page with a new link. */
export async function openPage(
  browser: Browser,
  api: RunningApi,
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<WatchedPage> {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 800 },
    // colors in transition have a different contrast
    reducedMotion: 'reduce',
    ...options,
  });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(api.url)) problems.push(`a request to ${request.url()}`);
  });
  await page.goto(api.newLink());
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  return { page, problems };
}

/** The findings of axe on the page: rules and elements. */
export async function accessibilityFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const { axe: run } = globalThis as unknown as { axe: typeof axe };
    return (await run.run()).violations.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`),
    }));
  });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).join(' | ')}`);
}

/**
 * A host that requests to join, and waits.
 *
 * @returns the fingerprint that it shows
 */
export async function joiningHost(fleet: Fleet, peelId: string): Promise<string> {
  const token = await tokenFile(fleet, await fleet.admin());
  const end = new AbortController();
  atEnd(async () => end.abort());
  const out = join(fleet.home.dir, `${peelId}.joined.creds`);
  joinFleet({ ...fleet.connection, token, peelId, out, signal: end.signal }).catch(() => undefined);
  const { keys } = await fleet.record(peelId, ({ state }) => state === 'pending');
  const shown = fingerprint(keys.at(-1)?.publicKey ?? '');
  expect(shown).toMatch(/-/);
  return shown;
}
