// Flips a path between a regular file, a symbolic link to another file, a link to nowhere and a loop, as fast as it can, until
// its standard input ends. Arguments: the path, and the file that the link leads to.
import { renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';

const [path = '', target = ''] = process.argv.slice(2);
let isOver = false;
process.stdin.on('end', () => (isOver = true)).resume();

const makers = [
  (at: string) => writeFileSync(at, 'regular', { mode: 0o600 }),
  (at: string) => symlinkSync(target, at),
  (at: string) => symlinkSync(`${target}-nowhere`, at),
  (at: string) => symlinkSync(path, at),
];
let flips = 0;
function flip(): void {
  for (let i = 0; i < 50; i += 1) {
    const other = `${path}.flip`;
    makers[flips % makers.length]?.(other);
    renameSync(other, path);
    flips += 1;
    if (flips % 7 === 0) unlinkSync(path);
  }
  if (isOver) process.stdout.write(`${JSON.stringify({ flips })}\n`);
  else setImmediate(flip);
}
process.stdout.write('ready\n');
flip();
