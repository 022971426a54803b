// Turns an error into an HTTP status and a document with the library's code.
import { errorTraits } from '../../error-traits.js';
import { redactSeeds, ZesterError } from '../../errors.js';
import { oneLine, printable } from '../../text/printable.js';

/** The public part of an error. */
export interface HttpError {
  status: number;
  document: { error: { code: string; message: string } };
}

/** The message of any other error is not shown: it may contain anything. */
export function httpErrorOf(error: unknown): HttpError {
  if (!(error instanceof ZesterError)) {
    const message = 'the request failed: see the log of the command';
    return { status: 500, document: { error: { code: 'ERR_FLEET_INTERNAL', message } } };
  }
  const { code, message } = error;
  return {
    status: errorTraits(code)?.httpStatus ?? 500,
    document: { error: { code, message: printable(redactSeeds(oneLine(message))) } },
  };
}
