// Reads the JSON body of a request, within limits.
import type { IncomingMessage } from 'node:http';
import { ApiError } from '../../errors.js';
import { parseJson } from '../../protocol/messages.js';

/** Larger than any request of this interface. */
const MAX_BODY_BYTES = 16 * 1024;

/**
 * The JSON document in the body; an empty body means `{}`.
 *
 * @throws ApiError `ERR_API_TOO_LARGE`, `ERR_API_REQUEST`
 */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const tooLarge = () => new ApiError('ERR_API_TOO_LARGE', `the body exceeds ${MAX_BODY_BYTES} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw tooLarge();
    parts.push(part);
  }
  if (bytes === 0) return {};
  // a cross-site form cannot send this type without a preflight request
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new ApiError('ERR_API_REQUEST', 'the body must be JSON, with "Content-Type: application/json"');
  const document = parseJson(Buffer.concat(parts));
  if (document === undefined)
    throw new ApiError('ERR_API_REQUEST', 'the body is not JSON, or is nested too deep');
  return document;
}
