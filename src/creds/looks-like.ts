// Recognizes files that are mistaken for .creds files, to name them in errors.

/** The number of characters examined (except for JSON), so that the cost does not grow with the file. */
const HEAD = 160;

/**
 * Recognizes common mistakes in a file that is neither a `.creds` file nor a seed nor a JWT. Repeats none of its
 * content.
 *
 * @param text the file's bytes as latin1, or a string
 * @returns "it is …" with advice; undefined: not recognized
 */
export function looksLike(text: string): string | undefined {
  const trimmed = text.trim();
  const head = trimmed.slice(0, HEAD);
  return ofEncoding(head) ?? ofText(withoutByteOrderMark(head), trimmed);
}

/** Recognizes unreadable encodings. */
function ofEncoding(head: string): string | undefined {
  const content = head.replace(/^(\xff\xfe|\xfe\xff)/, '');
  if (withoutByteOrderMark(content).trim() === '') return 'it is empty';
  if (head.startsWith('\x1f\x8b')) return 'it is compressed with gzip: unpack it first (gunzip)';
  if (content.length < head.length || content.includes('\0')) {
    return content.length < head.length || looksDecoded(content.replaceAll('\0', ''))
      ? 'it is UTF-16 (as PowerShell writes it with >): save it as UTF-8 or ASCII'
      : 'it is not text';
  }
  return undefined;
}

/** The first bytes of encrypted files. */
const ENCRYPTED: readonly [begins: RegExp, tool: string][] = [
  [/^(age-encryption\.org\/|-----BEGIN AGE ENCRYPTED FILE-----)/, 'age'],
  [/^-----BEGIN PGP MESSAGE-----/, 'PGP'],
  [/^\$ANSIBLE_VAULT;/, 'ansible-vault'],
  [/\bENC\[AES256_GCM,/, 'sops'],
];

function ofText(head: string, text: string): string | undefined {
  const [, tool] = ENCRYPTED.find(([begins]) => begins.test(head)) ?? [];
  if (tool !== undefined) return `it is encrypted with ${tool}: decrypt it first`;
  if (/^<(!doctype|html|\?xml)\b/i.test(head))
    return 'it is a web page or XML, perhaps a failed download: get the file again';
  if (/^["'`]/.test(head))
    return 'it is a quoted string (as in JSON or a shell): give the text without quotes, with newlines for \\n';
  if (/^[{[]/.test(head) && isJson(text))
    return 'it is JSON: give the value of the member with the credentials, with newlines for \\n';
  if (/^(apiVersion|kind):\s/m.test(head))
    return 'it is a Kubernetes manifest: give the value in its data, decoded (base64 -d)';
  if (isBase64(head)) return 'it is base64 (as in a Kubernetes Secret): decode it first (base64 -d)';
  if (/^(export\s+)?[A-Za-z_]\w*=\S*$/m.test(head.split('\n', 1)[0] ?? ''))
    return 'it is NAME=value (as in an environment file): give the value, with newlines for \\n';
  if (head.includes('\\n')) return 'it is one line with \\n in it: give the text with newlines for \\n';
  if (/-{3}BEGIN(%20|\+)/.test(head)) return 'it is encoded for a URL (%20): decode it first';
  if (/(\u2013|\u2014|\u2212|\xe2\x80[\x93\x94]|\xe2\x88\x92) ?BEGIN /.test(head))
    return 'its dashes are not ASCII (a word processor or a chat replaced them): write them as -, or copy the file itself';
  if (/^-{3,}\s*BEGIN\b/i.test(head) && !/[\r\n]/.test(text))
    return 'it is one line, so its newlines are lost: quote the variable when you write it ("$CREDS"), or copy the file itself';
  const [, pem] =
    /^-----BEGIN ((?:[A-Z0-9]+ )*(?:CERTIFICATE|PRIVATE KEY|PUBLIC KEY))-----\r?$/m.exec(head) ?? [];
  return pem === undefined ? undefined : `it is PEM (${pem}), as for TLS or SSH: give a NATS credential`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether a text is base64 of the expected content, directly or nested. */
function isBase64(text: string, depth = 0): boolean {
  const packed = text.replace(/^data:[^,]{0,100},/, '').replaceAll(/\s+/g, '');
  if (packed.length < 16 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(packed)) return false;
  const decoded = Buffer.from(packed, 'base64').toString('latin1');
  return looksDecoded(decoded.replaceAll('\0', '')) || (depth < 3 && isBase64(decoded, depth + 1));
}

/** Whether a text is the expected content: decorated sections, a seed or a JWT. */
function looksDecoded(text: string): boolean {
  return /-{3,}\s*BEGIN |\bS[OAUX][A-Z2-7]{50,}|\beyJ[\w-]{10,}\./i.test(text);
}

/** Removes a byte order mark, from a string or from bytes decoded as latin1. */
export function withoutByteOrderMark(text: string): string {
  return text.replace(/^(\ufeff|\xef\xbb\xbf)+/, '');
}
