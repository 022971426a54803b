// The file names of credentials in a directory.

/** The file name of a peel's credentials in a directory of many. */
export function credsFileName(peelId: string): string {
  return `${peelId}.creds`;
}

/** Like {@link credsFileName}, encrypted with age. */
export function ageFileName(peelId: string): string {
  return `${peelId}.creds.age`;
}
