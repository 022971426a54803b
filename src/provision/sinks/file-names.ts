// The file names of credentials in a directory.

/** The names of the files that the credentials of a peel go into, in a directory of many. */
export function credsFileName(peelId: string): string {
  return `${peelId}.creds`;
}

/** As {@link credsFileName}, encrypted with age. */
export function ageFileName(peelId: string): string {
  return `${peelId}.creds.age`;
}
