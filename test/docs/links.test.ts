import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const pagesIn = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !path.startsWith('reference'))
    .map((path) => join(folder, path));
const pages = [
  ...readdirSync(ROOT).filter((path) => path.endsWith('.md')),
  ...pagesIn('docs'),
  ...pagesIn('packaging'),
];
/** For contributors: they name files of the repository. Others may name those of a user. */
const GUIDES = ['CONTRIBUTING.md', 'docs/design.md'];

/** Written by `npm run docs:api`. */
const GENERATED = ['docs/reference/'];

/** What a link such as `fleet.md#adding-a-peel` may name on a page. */
function anchorsOf(path: string): string[] {
  const headings = [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text);
  return headings.map((text) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(pages)('%s', (page) => {
  it('links to files and headings that exist', () => {
    const text = read(page).replace(/^```[^]*?^```/gm, '');
    const links = [...text.matchAll(/\]\(((?!\w+:)[^)\s]*)\)/g)].map(([, link = '']) => link);
    const broken = links.filter((link) => {
      const [to = '', anchor] = link.split('#');
      const path = to === '' ? page : join(dirname(page), to);
      if (!existsSync(join(ROOT, path))) return true;
      return anchor !== undefined && path.endsWith('.md') && !anchorsOf(path).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

describe.each(GUIDES)('%s', (page) => {
  it('names files, folders and scripts that exist', () => {
    const text = read(page);
    const paths = [...text.matchAll(/`((?:src|test|docs|scripts|examples|api|packaging)\/[\w./-]*)`/g)];
    const folders = readdirSync(join(ROOT, 'src'), { encoding: 'utf8' });
    const inSource = [...text.matchAll(/`([\w-]+\/[\w./-]+\.ts)`/g)].filter(([, path = '']) =>
      folders.includes(path.split('/')[0] ?? ''),
    );
    const named = [...paths.map(([, path = '']) => path), ...inSource.map(([, path = '']) => `src/${path}`)];
    expect(named).not.toEqual([]);
    expect(named.filter((path) => !GENERATED.includes(path) && !existsSync(join(ROOT, path)))).toEqual([]);
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const run = [...text.matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, name = '']) => name);
    expect(run.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});
