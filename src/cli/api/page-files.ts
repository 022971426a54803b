// The built files of the page.
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { FileError } from '../../errors.js';

/** A file of the page. */
export interface PageFile {
  type: string;
  body: Buffer;
  gzipped: Buffer;
}

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/app.js': ['app.js', 'text/javascript; charset=utf-8'],
  '/app.css': ['app.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const;

/** Below this folder in the package; a test of the sources finds the built ones in `dist`. */
const FOLDERS = ['../../ui/', '../../../dist/ui/'] as const;

/**
 * Reads all of them, once.
 *
 * @throws FileError `ERR_FILE_NOT_FOUND` when the page was not built
 */
export async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const entries = Object.entries(FILES).map(async ([path, [name, type]]) => {
    const body = await readFirst(name);
    return [path, { type, body, gzipped: gzipSync(body, { level: 9 }) }] as const;
  });
  return new Map(await Promise.all(entries));
}

async function readFirst(name: string): Promise<Buffer> {
  for (const folder of FOLDERS) {
    try {
      return await readFile(new URL(`${folder}${name}`, import.meta.url));
    } catch {
      // the other folder
    }
  }
  throw new FileError(
    'ERR_FILE_NOT_FOUND',
    name,
    `the page's ${name} is not in this installation: install zester again`,
  );
}
