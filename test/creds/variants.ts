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

function swapped(sections: string): string {
  return sections
    .replaceAll('NATS USER JWT', 'x')
    .replaceAll('USER NKEY SEED', 'NATS USER JWT')
    .replaceAll('x---', 'USER NKEY SEED---');
}
