import { sectionsOf, type Credentials } from './credentials.js';

/**
 * The forms of a `.creds` file that are read, each with the same credentials. `test/integration/compat/go.test.ts` compares
 * them with what Go's parser reads, and so most other NATS tools.
 */
export function credsVariants(good: Credentials): [form: string, content: string | Uint8Array][] {
  const { jwtSection, seedSection } = sectionsOf(good);
  return [
    ['as it is written', good.text],
    ['from a Uint8Array', new Uint8Array(Buffer.from(good.text))],
    ['from a Buffer', Buffer.from(good.text)],
    ['from a part of a larger buffer', Buffer.from(`xx${good.text}xx`).subarray(2, 2 + good.text.length)],
    ['with \\r\\n', good.text.replaceAll('\n', '\r\n')],
    ['with \\r alone', good.text.replaceAll('\n', '\r')],
    ['with mixed line ends', good.text.replace('\n', '\r\n')],
    ['without the banner', `${jwtSection}\n${seedSection}`],
    ['without the banner and the blank line', jwtSection + seedSection],
    ['without the final newline', good.text.trimEnd()],
    ['without anything after the seed', (jwtSection + seedSection).trimEnd()],
    ['with blank lines around everything', `\n\n${good.text.replaceAll('\n', '\n\n')}\n\n`],
    ['with spaces and tabs around the lines', good.text.replaceAll('\n', ' \t\n \t')],
    ['with a byte order mark', Buffer.from(`\ufeff${good.text}`)],
    ['with a byte order mark, as a string', `\ufeff${good.text}`],
    ['with the seed before the JWT', seedSection + jwtSection],
    [
      'with other text around the sections',
      `# of web-01\n${jwtSection}a comment\n---\n${seedSection}the end`,
    ],
    ['with another label of the seed', good.text.replaceAll('USER NKEY SEED', 'USER PRIVATE KEY')],
    ['with another label of the JWT', good.text.replaceAll('NATS USER JWT', 'USER CREDENTIAL')],
    [
      'with labels in lower case',
      (jwtSection + seedSection).replaceAll(/(BEGIN|END) [A-Z ]+/g, (l) => l.toLowerCase()),
    ],
    ['with labels that are swapped', swapped(jwtSection + seedSection)],
    ['without labels', (jwtSection + seedSection).replaceAll(/-+(BEGIN|END) [A-Z ]+-+/g, '----------')],
    [
      'when a section is closed by another label',
      good.text.replace('END NATS USER JWT', 'END USER NKEY SEED'),
    ],
    [
      'with a certificate before it',
      `-----BEGIN CERTIFICATE-----\nAAAA\nAAAA\n-----END CERTIFICATE-----\n${good.text}`,
    ],
    [
      'when a section ends where the next begins',
      `-----BEGIN NATS USER JWT-----\n${good.jwt}\n${seedSection}`,
    ],
    [
      'with BEGIN and END exchanged',
      jwtSection.replace('BEGIN', 'END').replace('-END', '-BEGIN') + seedSection,
    ],
    ['with a label of 300 characters', good.text.replaceAll('NATS USER JWT', 'X'.repeat(300))],
    ['with the seed on a line by itself', `${jwtSection}${good.seed}\n`],
    ['with the seed on a line by itself, before the JWT', `${good.seed}\r\n${jwtSection}`],
    ['in quotes, with its line ends', `"${good.text}"`],
    ['with two byte order marks', Buffer.from(`\ufeff\ufeff${good.text}`)],
    ['with a byte order mark within, where files were put together', Buffer.from(`# x\n\ufeff${good.text}`)],
    ['with a note in a section of its own', `-----BEGIN NOTE-----\nhello\n-----END NOTE-----\n${good.text}`],
    ['below a line of dashes', `of web-01\n---------\n${good.text}`],
    ['with other numbers of dashes', (jwtSection + seedSection).replace(/-{5,6}/g, '---')],
    [
      'with a banner in other words',
      good.text.replace('NKEY Seed printed below', 'Ключ: the seed printed below'),
    ],
  ];
}

/**
 * A good file after each of a fixed list of edits to it, whether or not it is still read. If the parser comes to accept
 * one of these, Go's parser has to read it too, although it is no form above. Add an edit for a form that none of them
 * makes. White space is among the forms above.
 */
export function credsEdits(good: Credentials): [edit: string, content: string][] {
  const { jwtSection, seedSection } = sectionsOf(good);
  const sections = jwtSection + seedSection;
  const lines = sections.trimEnd().split('\n');
  const isDashes = (line: string) => line.startsWith('-');
  /** All lines, only the dashes, only those that open or close a section, or only what is between them. */
  const kinds: [string, (line: string) => boolean][] = [
    ['each line', () => true],
    ['each line of dashes', isDashes],
    ['each BEGIN', (line) => line.includes('BEGIN')],
    ['each END', (line) => line.includes('END')],
    ['the JWT and the seed', (line) => !isDashes(line)],
  ];
  const edit = (which: (line: string) => boolean, change: (line: string) => string) =>
    lines.map((line) => (which(line) ? change(line) : line)).join('\n');
  const dashes = ['-', '--', '---', '\u2013'.repeat(5), '\u2014'.repeat(3), '=====', '*****', '#####'];
  return [
    ...['> ', '>', '# ', '#', '// ', '"', "'", '`', '-', '* ', ': ', '1. ', 'x'].flatMap((mark) =>
      kinds.flatMap(([name, which]): [string, string][] => [
        [`${JSON.stringify(mark)} before ${name}`, edit(which, (line) => mark + line)],
        [`${JSON.stringify(mark)} after ${name}`, edit(which, (line) => line + mark)],
        [`${JSON.stringify(mark)} around ${name}`, edit(which, (line) => mark + line + mark)],
      ]),
    ),
    ...dashes.map((dash): [string, string] => [
      `${dash} for the dashes`,
      sections.replaceAll(/-{5,6}/g, dash),
    ]),
    ...kinds.slice(1).map(([name, which]): [string, string] => [`without ${name}`, edit(which, () => '')]),
    ...lines.flatMap((line, at): [string, string][] => [
      [`without line ${at + 1}`, lines.toSpliced(at, 1).join('\n')],
      [`line ${at + 1} twice`, lines.toSpliced(at, 0, line).join('\n')],
      [`line ${at + 1} at the end`, [...lines.toSpliced(at, 1), line].join('\n')],
      [`line ${at + 1} alone`, line],
    ]),
    ['the lines in reverse', lines.toReversed().join('\n')],
    [
      'the JWT and the seed exchanged',
      sections.replace(good.jwt, 'x').replace(good.seed, good.jwt).replace('x', good.seed),
    ],
    [
      'the JWT and the seed in one section',
      edit(
        (line) => line === good.jwt,
        (line) => `${line}\n${good.seed}`,
      ),
    ],
    ...[' ', '', '\\n', ',', '\t', '\f', '\u2028', '\u0085', '\n\r'].map((end): [string, string] => [
      `${JSON.stringify(end)} for the line ends`,
      lines.join(end),
    ]),
    ['in lower case', sections.toLowerCase()],
    ['in upper case', sections.toUpperCase()],
    ['the seed folded', sections.replace(good.seed, (seed) => `${seed.slice(0, 30)}\n${seed.slice(30)}`)],
    ['the JWT folded', sections.replace(good.jwt, (jwt) => `${jwt.slice(0, 64)}\n${jwt.slice(64)}`)],
  ];
}

function swapped(sections: string): string {
  return sections
    .replaceAll('NATS USER JWT', 'x')
    .replaceAll('USER NKEY SEED', 'NATS USER JWT')
    .replaceAll('x---', 'USER NKEY SEED---');
}
