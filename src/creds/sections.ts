import { CredsError, type CredsErrorCode } from '../errors.js';

/** The two lines that matter in a `.creds` file. */
export interface CredsSections {
  jwt: string;
  seed: string;
}

/**
 * Finds the JWT's and the seed's section in the text of a `.creds` file, in one pass over its lines. Any line end, blank
 * lines, no banner, other text around the sections and a missing last line end are all taken, as Go's parser does.
 *
 * @param name what errors call the file
 * @throws CredsError
 */
export function findSections(text: string, name: string): CredsSections {
  const found: { jwt?: string; seed?: string } = {};
  let open: Section | undefined;
  let content: string | undefined;
  for (const raw of text.split(/\r\n|\n|\r/)) {
    const line = raw.trim();
    const marker = readMarker(line);
    if (open === undefined) {
      if (marker?.edge !== 'BEGIN') continue;
      open = marker;
      content = undefined;
      if (found[open.kind] !== undefined) throw duplicate(open.kind, name);
      continue;
    }
    if (line === '') continue;
    if (marker === undefined) {
      if (content !== undefined) throw malformed(name, `the section ${open.label} holds more than one line`);
      content = line;
      continue;
    }
    if (marker.edge === 'BEGIN' || marker.kind !== open.kind) {
      throw malformed(name, `the section ${open.label} is not closed before ${marker.edge} ${marker.label}`);
    }
    if (content === undefined) throw missing(open.kind, name, `the section ${open.label} is empty`);
    found[open.kind] = content;
    open = undefined;
  }
  if (open !== undefined) {
    throw malformed(name, `the section ${open.label} is not closed; the file may have been cut off`);
  }
  const { jwt, seed } = found;
  if (jwt === undefined) throw missing('jwt', name, 'it has no JWT section');
  if (seed === undefined) throw missing('seed', name, 'it has no seed section');
  return { jwt, seed };
}

type Kind = keyof CredsSections;

interface Section {
  edge: 'BEGIN' | 'END';
  kind: Kind;
  label: string;
}

/** A line such as `-----BEGIN NATS USER JWT-----`: three dashes or more on both sides. */
function readMarker(line: string): Section | undefined {
  if (!line.startsWith('---') || !line.endsWith('---') || line.length > 200) return undefined;
  const label = line.replace(/^-+/, '').replace(/-+$/, '').trim();
  const edge = label.startsWith('BEGIN ') ? 'BEGIN' : label.startsWith('END ') ? 'END' : undefined;
  if (edge === undefined) return undefined;
  const named = label.slice(edge.length + 1);
  const kind = named.endsWith('JWT') ? 'jwt' : named.endsWith('SEED') ? 'seed' : undefined;
  return kind === undefined ? undefined : { edge, kind, label: named };
}

function malformed(name: string, why: string): CredsError {
  return new CredsError('ERR_CREDS_FORMAT', name, `${name} is not a whole .creds file: ${why}`);
}

function missing(kind: Kind, name: string, why: string): CredsError {
  const code: CredsErrorCode = kind === 'jwt' ? 'ERR_CREDS_NO_JWT' : 'ERR_CREDS_NO_SEED';
  return new CredsError(code, name, `${name} is not a whole .creds file: ${why}; write it again`);
}

function duplicate(kind: Kind, name: string): CredsError {
  const code: CredsErrorCode = kind === 'jwt' ? 'ERR_CREDS_DUPLICATE_JWT' : 'ERR_CREDS_DUPLICATE_SEED';
  const what = kind === 'jwt' ? 'JWT' : 'seed';
  return new CredsError(code, name, `${name} holds more than one ${what}: keep one credential a file`);
}
