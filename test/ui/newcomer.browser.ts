import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { findNatsServer } from '../../src/nats-server/find.js';
import { atEnd } from '../support/cleanup.js';
import { freePort } from '../support/free-port.js';
import { SEED } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { ZESTER } from '../support/zester-command.js';
import { startBrowser } from './page.js';

/** A terminal: commands in their own directory, with an empty home. */
async function terminal() {
  const cwd = await tempDir();
  const env = { PATH: process.env['PATH'], HOME: cwd, ZESTER_NATS_SERVER: await findNatsServer() };
  return (command: string, more: Record<string, string> = {}) => {
    const script = `zester() { exec ${[process.execPath, ...ZESTER].join(' ')} "$@"; }; ${command}`;
    const child = spawn('bash', ['-c', script], { cwd, env: { ...env, ...more } });
    const ended = once(child, 'close');
    atEnd(async () => {
      child.kill('SIGINT');
      await ended;
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (output += data.toString()));
    return {
      text: () => output,
      until: async (pattern: RegExp) => {
        await waitFor(`${command} says ${pattern}`, () => pattern.test(output));
        return pattern.exec(output)?.[1] ?? '';
      },
    };
  };
}

it('docs/ui.md leads from an empty home to the first accepted peel, click by click', async () => {
  const [, part = ''] = (await readFile('docs/ui.md', 'utf8')).split(/^## .*$/m);
  const steps = part.split(/^\d\. /m).slice(1);
  const marked = (step: number, mark: '**' | '`') =>
    [...(steps[step - 1] ?? '').matchAll(mark === '**' ? /\*\*(.+?)\*\*/g : /`(.+?)`/g)].map(
      ([, text = '']) => text,
    );
  const run = await terminal();
  const started = performance.now();

  const [up = ''] = marked(1, '`');
  expect(up).toBe('zester up --ui');
  // as its help says: ports of their own, for a machine on which others are in use
  const fleet = run(up, { ZESTER_PORT: String(await freePort()) });
  const link = await fleet.until(/open (http\S+)/);

  const page = await (await startBrowser()).newPage({ viewport: { width: 1280, height: 800 } });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(link);
  await page.getByText('There are no peels yet.').waitFor();

  const click = async (name: string, within: Pick<typeof page, 'getByRole' | 'locator'> = page) =>
    within
      .getByRole('link', { name, exact: true })
      .or(within.getByRole('link', { name: new RegExp(`^${name}\\d+$`) }))
      .or(within.getByRole('button', { name, exact: true }))
      .or(within.locator('button', { hasText: new RegExp(`^${name}$`) }))
      .first()
      .click();
  for (const name of marked(3, '**')) await click(name);
  for (const name of marked(4, '**')) await click(name);
  await page.getByText('Copied', { exact: true }).waitFor();
  const host = run(await page.evaluate<string>('navigator.clipboard.readText()'));
  const shown = await host.until(/fingerprint ([0-9a-f-]+)/);

  const [pending = '', accept = '', confirm = ''] = marked(5, '**');
  await click(pending);
  await page.getByText(shown).waitFor();
  await page.getByRole('textbox').fill(shown);
  await page.getByText('same', { exact: true }).waitFor();
  await click(accept, page.locator('.card'));
  await page.getByRole('dialog').getByText(shown).waitFor();
  await click(confirm, page.getByRole('dialog'));
  await page.getByText('web-01 was accepted.').waitFor();
  const seconds = (performance.now() - started) / 1000;
  // the button that had the focus is gone
  await waitFor('the content to have the focus', async () =>
    page.evaluate<boolean>("document.activeElement?.tagName === 'MAIN'"),
  );

  await host.until(/(web-01 has joined)[^]*is connected/);
  for (const name of marked(6, '**')) await click(name);
  await page.getByRole('link', { name: '1 Connected', exact: true }).waitFor();
  expect(fleet.text() + host.text()).not.toMatch(SEED);
  process.stdout.write(
    `from the command to the first accepted peel, without the person: ${seconds.toFixed(1)} s\n`,
  );
});
