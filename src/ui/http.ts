// Sends requests to the HTTP interface that serves this page.

/** An error response of the interface. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** @throws HttpError */
export async function ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
  } catch {
    throw new HttpError(0, 'ERR_CONNECT_UNREACHABLE', 'The command that serves this page does not answer.');
  }
  const document = (await response.json().catch(() => ({}))) as { error?: { code: string; message: string } };
  if (response.ok) return document as T;
  const { code = 'ERR_FLEET_ANSWER', message = `the answer has the status ${response.status}` } =
    document.error ?? {};
  throw new HttpError(response.status, code, message);
}

export const get = <T>(path: string): Promise<T> => ask<T>('GET', path);
export const post = <T>(path: string, body: object = {}): Promise<T> => ask<T>('POST', path, body);

/** An error for display, with its code. */
export function errorText(error: unknown): string {
  if (error instanceof HttpError) return `${error.message} [${error.code}]`;
  return error instanceof Error ? error.message : String(error);
}
