import type { Browser } from 'playwright-core';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunningApi } from '../../src/cli/api/serve-api.js';
import { startFleet, type Fleet } from '../integration/fleet/fleet.js';
import { addCreds, TestPeel } from '../integration/fleet/peels.js';
import { accessibilityFindings, joiningHost, openPage, servePage, startBrowser } from './page.js';

let fleet: Fleet;
let api: RunningApi;
let browser: Browser;

beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 3_600 });
  api = await servePage(fleet);
  browser = await startBrowser();
  const admin = await fleet.admin();
  for (const id of ['web-01', 'web-02', 'db-01'])
    await TestPeel.start(fleet, await addCreds(fleet, admin, id));
});

const VIEWS = ['', 'peels', 'peels/web-01', 'pending', 'audit', 'tokens', 'trust', 'doctor'];

describe('the page', () => {
  it('has no finding of axe in any view, light and dark, wide and on a phone', async () => {
    await joiningHost(fleet, 'axe-01');
    for (const [colorScheme, width] of [
      ['light', 1280],
      ['dark', 1280],
      ['light', 390],
    ] as const) {
      const { page, problems } = await openPage(browser, api, {
        colorScheme,
        viewport: { width, height: 844 },
      });
      for (const view of VIEWS) {
        await page.goto(`${api.url}/#/${view}`);
        await page.locator('h1').first().waitFor();
        await page.waitForLoadState('load');
        if (view === 'doctor') await page.getByText('checks passed').waitFor();
        if (view === 'trust') await page.locator('svg .node').first().waitFor();
        expect(await accessibilityFindings(page), `${view} ${colorScheme} ${width}`).toEqual([]);
        const root = 'document.documentElement';
        const beyond = await page.evaluate<number>(`${root}.scrollWidth - ${root}.clientWidth`);
        expect(beyond, `${view} ${width}`).toBeLessThanOrEqual(0);
      }
      expect(problems).toEqual([]);
      await page.close();
    }
  });

  it('accepts a pending peel whose fingerprint was compared, and pushes it to another page', async () => {
    const shown = await joiningHost(fleet, 'new-01');
    const { page, problems } = await openPage(browser, api);
    const other = await openPage(browser, api);
    await other.page.getByRole('link', { name: 'Peels', exact: true }).click();
    await page.getByRole('link', { name: /^Pending/ }).click();
    const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'new-01' }) });
    await card.getByRole('textbox').fill('0000');
    await card.getByText('different').waitFor();
    expect(await card.getByRole('button', { name: 'Accept new-01' }).isDisabled()).toBe(true);
    await card.getByRole('textbox').fill(shown);
    await card.getByText('same', { exact: true }).waitFor();
    await card.getByRole('button', { name: 'Accept new-01' }).click();
    await page.getByRole('dialog').getByText(shown).waitFor();
    await page.getByRole('dialog').getByRole('textbox').fill('rack 7');
    await page.getByRole('dialog').getByRole('button', { name: 'Accept new-01' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await card.waitFor({ state: 'detached' });
    const row = other.page.getByRole('row').filter({ hasText: 'new-01' });
    await row.getByText(/accepted|active/).waitFor();
    expect([...problems, ...other.problems]).toEqual([]);
    await Promise.all([page.close(), other.page.close()]);
  });

  it('describes the effect of a revocation, and shows the progress of several', async () => {
    const admin = await fleet.admin();
    for (const id of ['bulk-1', 'bulk-2', 'bulk-3']) await addCreds(fleet, admin, id);
    const { page, problems } = await openPage(browser, api);
    await page.goto(`${api.url}/#/peels?q=bulk-`);
    await page.getByText('3 of').waitFor();
    await page.getByLabel('select all listed peels').check();
    await page.getByRole('button', { name: 'Revoke (3)' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('All keys of these 3 peels are revoked on every server, permanently.').waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Revoke 3 peels' }).click();
    await dialog.getByText('3 of 3 done').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('grid').getByText('revoked').nth(2).waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  it('rotates a key from the view of a peel, whose keys it shows over time', async () => {
    const { page, problems } = await openPage(browser, api);
    await page.goto(`${api.url}/#/peels/web-02`);
    await page.getByRole('button', { name: 'Rotate key' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate web-02' }).click();
    await page.getByRole('img', { name: /^2 keys over time/ }).waitFor();
    await page.getByRole('button', { name: 'Request facts' }).click();
    await page.getByText('"peelId": "web-02"').waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  it('creates and removes a join token, which the list and the audit log show at once', async () => {
    const { page, problems } = await openPage(browser, api);
    await page.getByRole('link', { name: 'Join tokens' }).click();
    await page.getByLabel('Only IDs that match (optional)').fill('rack7-*');
    await page.getByRole('button', { name: 'Create a join token' }).click();
    await page.getByText(/^zester peel join --token \S+\.creds --id rack7-01 /).waitFor();
    const row = page.getByRole('row').filter({ hasText: 'rack7-*' });
    await row.getByRole('button', { name: /^Remove/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await row.getByText('removed').waitFor();
    await page.getByRole('link', { name: 'Audit log' }).click();
    await page.getByLabel('Events').selectOption('token.*');
    await page.getByText('token.removed').first().waitFor();
    expect(await page.getByText('key.issued').count()).toBe(0);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('filters, sorts and exports the list', async () => {
    const { page, problems } = await openPage(browser, api);
    await page.getByRole('link', { name: 'Peels', exact: true }).click();
    await page.getByRole('row').nth(2).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('web-');
    await page.getByText('2 of').waitFor();
    await page.getByRole('button', { name: 'ID' }).click();
    const ids = page.getByRole('grid').getByRole('row');
    await ids.nth(1).getByText('web-02').waitFor();
    // going back restores the list
    await ids.nth(1).click();
    await page.getByRole('link', { name: '← All peels' }).click();
    await page.getByText('2 of').waitFor();
    await ids.nth(1).getByText('web-02').waitFor();
    await page.goBack();
    await page.goBack();
    await page.getByText('2 of').waitFor();
    expect(await page.getByRole('searchbox').inputValue()).toBe('web-');
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export CSV' }).click();
    const text = await readFile(await (await saved).path(), 'utf8');
    expect(text.split('\r\n').map((line) => line.split(',')[0])).toEqual(['id', 'web-02', 'web-01', '']);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('can be used with the keyboard alone', async () => {
    const shown = await joiningHost(fleet, 'keys-01');
    const { page, problems } = await openPage(browser, api);
    const focused = () =>
      page.evaluate<string>(
        "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? ''",
      );
    const tabTo = async (name: RegExp) => {
      for (let i = 0; i < 60; i += 1) {
        if (name.test(await focused())) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`no ${name} can be reached with the Tab key`);
    };
    await tabTo(/^Pending/);
    await page.keyboard.press('Enter');
    await page.getByText(shown).waitFor();
    await tabTo(/^Accept keys-01$/);
    await page.keyboard.press('Enter');
    // the first button of the dialog is the harmless one
    await page.getByRole('dialog').waitFor();
    expect(await focused()).toBe('Cancel');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await focused()).toBe('Accept keys-01');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await fleet.record('keys-01', ({ state }) => state !== 'pending');

    await page.keyboard.press('Home');
    await page.goto(`${api.url}/#/peels`);
    await page.getByRole('row').nth(1).focus();
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press(' ');
    await page.getByText('1 selected').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Decisions and events' }).waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  it('shows a viewer everything, and no button that it may not use', async () => {
    const viewing = await servePage(fleet, 'viewer');
    const { page } = await openPage(browser, viewing);
    await page.goto(`${viewing.url}/#/peels/web-01`);
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    for (const name of ['Revoke', 'Rotate key', 'Request facts'])
      expect(await page.getByRole('button', { name }).count(), name).toBe(0);
    await page.close();
  });
});

describe('a link', () => {
  it('opens one browser once, and the address does not keep it', async () => {
    const link = api.newLink();
    const first = await browser.newPage();
    await first.goto(link);
    await first.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    expect(first.url()).not.toContain('key');
    await first.reload();
    await first.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    expect(await first.evaluate('document.cookie')).toBe('');
    const second = await browser.newPage();
    await second.goto(link);
    await second.getByText('was used before').waitFor();
    await Promise.all([first.close(), second.close()]);
  });
});
