// Renders the isolation matrix for docs/security.md.
import { ISOLATION, ROLE_WORDS, ROLES } from './isolation-table.js';

const BEGIN = '<!-- isolation matrix: npm run docs:security -->\n';
const END = '<!-- end -->';

/** The document with the current matrix. */
export function withIsolationMatrix(document: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from) throw new Error('the document has no place for the isolation matrix');
  return `${document.slice(0, from + BEGIN.length)}\n${isolationMatrix()}\n${document.slice(to)}`;
}

function isolationMatrix(): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const head = line(['subjects', ...ROLES.map((role) => ROLE_WORDS[role])]);
  const rule = line(['---', ...ROLES.map(() => '---')]);
  const rows = ISOLATION.map(({ what, subjects, publish, subscribe }) => {
    const [example = ''] = subjects;
    const cells = ROLES.map((role) =>
      [publish.includes(role) ? 'P' : '', subscribe.includes(role) ? 'S' : ''].filter(Boolean).join(' '),
    );
    return line([`${what}, such as \`${example}\``, ...cells]);
  });
  return head + rule + rows.join('');
}
