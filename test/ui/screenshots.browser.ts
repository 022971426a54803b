import { fileURLToPath } from 'node:url';
import { it } from 'vitest';
import { startFleet } from '../integration/fleet/fleet.js';
import { addCreds, TestPeel } from '../integration/fleet/peels.js';
import { joiningHost, openPage, servePage, startBrowser } from './page.js';

const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url));

/** The screenshots of docs/ui.md, for "npm run docs:images". */
it.runIf(process.env['ZESTER_IMAGES'] === '1')('renders the screenshots of the documents', async () => {
  const fleet = await startFleet({ policy: 'manual', lifetime: 3_600 });
  const api = await servePage(fleet);
  const admin = await fleet.admin();
  const labels = { env: 'prod' };
  for (const id of ['web-01', 'web-02', 'db-01'])
    await TestPeel.start(fleet, await addCreds(fleet, admin, id, { labels }));
  await joiningHost(fleet, 'web-03');
  const { page } = await openPage(await startBrowser(), api, { viewport: { width: 1000, height: 620 } });
  for (const [view, ready] of [
    ['', 'Masters'],
    ['peels', 'web-02'],
    ['pending', 'web-03'],
    ['peels/web-01', 'Decisions and events'],
    ['trust', 'In use'],
  ] as const) {
    await page.goto(`${api.url}/#/${view}`);
    await page.getByText(ready).first().waitFor();
    await page.screenshot({
      path: `${IMAGES}ui-${view === '' ? 'overview' : view.replace('/web-01', '-one')}.png`,
    });
  }
  await page.goto(`${api.url}/#/tokens`);
  await page.getByRole('button', { name: 'Create a join token' }).click();
  await page.getByText('zester peel join').waitFor();
  await page.screenshot({ path: `${IMAGES}ui-token.png`, clip: { x: 0, y: 0, width: 1000, height: 560 } });
});
