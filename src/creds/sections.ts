import { CredsError, type CredsErrorCode } from '../errors.js';
import { looksLike } from './looks-like.js';

/** The two lines that matter in a `.creds` file. */
export interface CredsSections {
  jwt: string;
  seed: string;
}

/**
 * Finds the JWT's and the seed's section in the text of a `.creds` file, in one pass over its lines. Any line end, blank
 * lines, no banner, any order, other text around the sections and a missing last line end are all taken.
 *
 * A section is one line between two lines with dashes at both ends. As to Go's parser, what is written between the dashes
 * does not matter: a JWT and a seed are known by themselves. It only helps to say what is wrong with a file.
 *
 * Source: github.com/nats-io/jwt/v2, creds_utils.go (`userConfigRE`).
 *
 * @param name what errors call the file
 * @throws CredsError
 */
export function findSections(text: string, name: string): CredsSections {
  const found: { jwt?: string; seed?: string } = {};
  let open: Fence | undefined;
  let content: string[] = [];
  for (const raw of text.split(/\r\n|\n|\r/)) {
    const line = raw.trim();
    if (line === '') continue;
    const fence = readFence(line);
    if (fence === undefined) {
      if (open !== undefined) content.push(line);
    } else if (open === undefined || (open.kind === undefined && fence.edge === 'BEGIN')) {
      if (fence.edge !== 'END') open = fence;
      content = [];
    } else if (fence.edge === 'BEGIN') {
      throw malformed(name, `the section ${open.label} is not closed before BEGIN ${fence.label}`);
    } else {
      const section = readSection(open, content, name);
      if (section !== undefined) {
        if (found[section.kind] !== undefined) throw duplicate(section.kind, name);
        found[section.kind] = section.text;
      }
      open = undefined;
    }
  }
  if (open?.kind !== undefined) {
    throw malformed(name, `the section ${open.label} is not closed; the file may have been cut off`);
  }
  const { jwt, seed } = found;
  if (jwt === undefined) {
    throw missing('jwt', name, (seed === undefined ? looksLike(text) : undefined) ?? 'it has no JWT section');
  }
  if (seed === undefined) throw missing('seed', name, 'it has no seed section');
  return { jwt, seed };
}

type Kind = keyof CredsSections;

interface Fence {
  /** undefined: it only has dashes, and is the one or the other. */
  edge: 'BEGIN' | 'END' | undefined;
  /** What it says that the section holds; undefined: neither of the two. */
  kind: Kind | undefined;
  label: string;
}

/** A line such as `-----BEGIN NATS USER JWT-----`: three dashes or more at both ends. */
function readFence(line: string): Fence | undefined {
  if (line.length > 200 || !/^-{3}.*-{3}$/.test(line)) return undefined;
  const [, edge, label = ''] = /^-+\s*(?:(BEGIN|END)\b)?\s*(.*?)\s*-+$/i.exec(line) ?? [];
  const kind = /JWT$/i.test(label) ? 'jwt' : /SEED$/i.test(label) ? 'seed' : undefined;
  return { edge: edge?.toUpperCase() as Fence['edge'], kind, label };
}

/** @returns undefined when it is another section than the two, such as a certificate */
function readSection(
  { kind, label }: Fence,
  content: readonly string[],
  name: string,
): { kind: Kind; text: string } | undefined {
  const [text] = content;
  if (text === undefined) {
    if (kind === undefined) return undefined;
    throw missing(kind, name, `the section ${label} is empty`);
  }
  if (content.length > 1) {
    if (kind === undefined) return undefined;
    throw malformed(name, `the section ${label} holds more than one line`);
  }
  const is = kindOf(text) ?? kind;
  return is && { kind: is, text };
}

function kindOf(text: string): Kind | undefined {
  if (/^S[A-Z2-7]{40,}$/.test(text)) return 'seed';
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) ? 'jwt' : undefined;
}

function malformed(name: string, why: string): CredsError {
  return new CredsError('ERR_CREDS_FORMAT', name, `${name} is not a whole .creds file: ${why}`);
}

function missing(kind: Kind, name: string, why: string): CredsError {
  const code: CredsErrorCode = kind === 'jwt' ? 'ERR_CREDS_NO_JWT' : 'ERR_CREDS_NO_SEED';
  const advice = why.includes(': ') ? '' : '; write it again';
  return new CredsError(code, name, `${name} is not a whole .creds file: ${why}${advice}`);
}

function duplicate(kind: Kind, name: string): CredsError {
  const code: CredsErrorCode = kind === 'jwt' ? 'ERR_CREDS_DUPLICATE_JWT' : 'ERR_CREDS_DUPLICATE_SEED';
  const what = kind === 'jwt' ? 'JWT' : 'seed';
  return new CredsError(code, name, `${name} holds more than one ${what}: keep one credential a file`);
}
