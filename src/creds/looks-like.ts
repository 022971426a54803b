/**
 * What a file looks like that is no `.creds` file, no seed and no JWT: what people put in the place of one. Nothing of it
 * is repeated.
 *
 * @param text the file's bytes as latin1, or a string
 * @returns "it is …" with what to do; undefined: it looks like nothing in particular
 */
export function looksLike(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return 'it is empty';
  if (text.includes('\0')) {
    return looksDecoded(text.replaceAll('\0', ''))
      ? 'it is UTF-16 (as PowerShell writes it with >): save it as UTF-8 or ASCII'
      : 'it is not text';
  }
  const head = trimmed.substring(0, 40);
  if (/^(age-encryption\.org\/|-----BEGIN AGE ENCRYPTED FILE-----)/.test(head))
    return 'it is encrypted with age: decrypt it first';
  if (/^["'`]/.test(head))
    return 'it is a quoted string (as in JSON or a shell): give the text without quotes, with line ends for \\n';
  if (trimmed.includes('\\n')) return 'it is one line with \\n in it: give the text with line ends for \\n';
  const packed = trimmed.replaceAll(/\s+/g, '');
  const isBase64 = /^[A-Za-z0-9+/_-]+={0,2}$/.test(packed);
  if (isBase64 && looksDecoded(Buffer.from(packed, 'base64').toString('latin1')))
    return 'it is base64 (as in a Kubernetes Secret): decode it first (base64 -d)';
  return undefined;
}

/** Whether a text is what the file should be: decorated sections, a seed or a JWT. */
function looksDecoded(text: string): boolean {
  return /-{3,}\s*BEGIN |\bS[OAUX][A-Z2-7]{50,}|\beyJ[\w-]{10,}\./i.test(text);
}

/** Text without the byte order mark that some editors put before it, as a string or as the latin1 of its bytes. */
export function withoutByteOrderMark(text: string): string {
  return text.replace(/^(\ufeff|\xef\xbb\xbf)/, '');
}
