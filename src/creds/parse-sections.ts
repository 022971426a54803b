// Finds the JWT and the seed in the text of a .creds file.
import { CredsError, type CredsErrorCode } from '../errors.js';
import { looksLike } from './looks-like.js';

/** The two relevant lines of a `.creds` file. */
export interface CredsSections {
  jwt: string;
  seed: string;
}

/**
 * Finds the JWT and the seed in the text of a `.creds` file. Accepts any line endings, blank lines, missing banners,
 * any order, other text around the sections, and a missing newline at the end.
 *
 * As in Go's parser, the labels between the dashes do not matter: a section is one line between two lines of dashes,
 * and a JWT and a seed are recognized by their form. Also as in Go, a seed may be on a line of its own if no section
 * contains one. Unlike Go, this refuses a file that ends before its last section is closed, since it may be
 * half-written, and one with two JWTs or two seeds. Labels are used only in error messages.
 *
 * Source: github.com/nats-io/nkeys, creds_utils.go (`userConfigRE`, `ParseDecoratedNKey`).
 *
 * @param name the name of the file in errors
 * @throws CredsError
 */
export function findSections(text: string, name: string): CredsSections {
  const lines = text
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const kinds = lines.map(kindOf);
  const isSection = (at: number) => dashesAt(lines[at - 1]) >= 0 && dashesAt(lines[at + 1]) === 0;
  const sectionsOf = (kind: Kind) => lines.filter((_, at) => kinds[at] === kind && isSection(at));
  const jwts = sectionsOf('jwt');
  const seeds = sectionsOf('seed');
  if (jwts.length > 1) throw duplicate('jwt', name);
  if (seeds.length > 1) throw duplicate('seed', name);
  const [jwt] = jwts;
  const [seed = seedByItself(lines, kinds)] = seeds;
  if (jwt !== undefined && seed !== undefined) return { jwt, seed };
  const labelled = sectionsByLabel(lines, name);
  const found = { jwt: jwt ?? labelled.jwt, seed: seed ?? labelled.seed };
  if (found.jwt === undefined)
    throw missing('jwt', name, looksLike(text) ?? looseJwt(kinds) ?? 'it has no JWT section');
  if (found.seed === undefined) throw missing('seed', name, 'it has no seed section');
  return { jwt: found.jwt, seed: found.seed };
}

function looseJwt(kinds: readonly (Kind | undefined)[]): string | undefined {
  return kinds.includes('jwt')
    ? 'it has a JWT, but not between two lines with dashes (-----BEGIN NATS USER JWT-----)'
    : undefined;
}

/** The only seed in a file, unless it follows a BEGIN line: then its section is not closed. */
function seedByItself(lines: readonly string[], kinds: readonly (Kind | undefined)[]): string | undefined {
  const at = kinds.indexOf('seed');
  if (at < 0 || kinds.includes('seed', at + 1) || readFence(lines[at - 1])?.edge === 'BEGIN')
    return undefined;
  return lines[at];
}

/**
 * Where the dashes begin in a line that limits a section: three or more, anything, and three or more at the end.
 * -1 in any other line. As in Go, a mark or a quote may precede those that open a section, but not those that close one.
 */
function dashesAt(line = ''): number {
  const from = line.indexOf('---');
  return from + 6 <= line.length && line.endsWith('---') ? from : -1;
}

/**
 * The content of sections that are labelled as a JWT or a seed but look like neither, for the error message.
 *
 * @throws CredsError for a section that is empty, has several lines, or is not closed
 */
function sectionsByLabel(lines: readonly string[], name: string): Partial<CredsSections> {
  const found: Partial<CredsSections> = {};
  let open: Fence | undefined;
  let content: string[] = [];
  for (const line of lines) {
    const fence = readFence(line);
    if (fence === undefined) {
      if (open !== undefined) content.push(line);
    } else if (open === undefined || (open.kind === undefined && fence.edge === 'BEGIN')) {
      if (fence.edge !== 'END') open = fence;
      content = [];
    } else if (fence.edge === 'BEGIN') {
      throw malformed(name, `the section ${open.label} is not closed before BEGIN ${fence.label}`);
    } else {
      if (open.kind !== undefined) found[open.kind] = onlyLine(open.kind, open.label, content, name);
      open = undefined;
    }
  }
  if (open?.kind !== undefined) {
    throw malformed(name, `the section ${open.label} is not closed; the file may be truncated`);
  }
  return found;
}

type Kind = keyof CredsSections;

interface Fence {
  /** undefined: only dashes, which may be either. */
  edge: 'BEGIN' | 'END' | undefined;
  /** What the section should contain, by its label; undefined: neither. */
  kind: Kind | undefined;
  label: string;
}

/** What a line that limits a section says, such as `-----BEGIN NATS USER JWT-----`. */
function readFence(line = ''): Fence | undefined {
  const from = dashesAt(line);
  if (from < 0) return undefined;
  const short = from === 0 && line.length <= 200 ? line : line.slice(from, from + 200);
  const [, edge, label = ''] = FENCE.exec(short) ?? [];
  const kind = /JWT$/i.test(label) ? 'jwt' : /SEED$/i.test(label) ? 'seed' : undefined;
  const upper = edge?.toUpperCase() as Fence['edge'];
  // what a mark precedes only opens sections
  return from > 0 && upper !== 'BEGIN' ? undefined : { edge: upper, kind, label };
}

/** Run on 200 characters at most: its time grows with the square of the length. */
const FENCE = /^-+\s*(?:(BEGIN|END)\b)?\s*(.*?)\s*-*$/i;

function onlyLine(kind: Kind, label: string, content: readonly string[], name: string): string {
  const [text] = content;
  if (text === undefined) throw missing(kind, name, `the section ${label} is empty`);
  if (content.length > 1) throw malformed(name, `the section ${label} contains more than one line`);
  return text;
}

function kindOf(text: string): Kind | undefined {
  if (text[0] === '-') return undefined; // usually a line of dashes
  if (/^S[A-Z2-7]{40,}$/.test(text)) return 'seed';
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) ? 'jwt' : undefined;
}

function malformed(name: string, why: string, code: CredsErrorCode = 'ERR_CREDS_FORMAT'): CredsError {
  return new CredsError(code, name, `${name} is not a complete .creds file: ${why}`);
}

function missing(kind: Kind, name: string, why: string): CredsError {
  const code: CredsErrorCode = kind === 'jwt' ? 'ERR_CREDS_NO_JWT' : 'ERR_CREDS_NO_SEED';
  const advice = why.includes(': ') ? '' : '; write it again';
  return malformed(name, why + advice, code);
}

function duplicate(kind: Kind, name: string): CredsError {
  const code: CredsErrorCode = kind === 'jwt' ? 'ERR_CREDS_DUPLICATE_JWT' : 'ERR_CREDS_DUPLICATE_SEED';
  const what = kind === 'jwt' ? 'JWT' : 'seed';
  return new CredsError(code, name, `${name} holds more than one ${what}: keep one credential per file`);
}
