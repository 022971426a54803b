// Validates the URLs in an operator JWT as other tools do.
import { quoted } from '../text/quoted.js';
import { jwtOptionsError } from './options-error.js';

const SERVICE_URL = /^(?:nats|tls|ws|wss):\/\/[^/?#\s]+$/i;

/**
 * Checks the URL of an operator's servers.
 *
 * Source: github.com/nats-io/jwt/v2, operator_claims.go (`ValidateOperatorServiceURL`).
 *
 * @throws JwtError `ERR_JWT_OPTIONS` for another scheme, a path, or a user or password, which would be public
 */
export function checkServiceUrl(url: string): void {
  const parsed = SERVICE_URL.test(url) ? parse(url) : undefined;
  if (parsed !== undefined && parsed.username === '' && parsed.password === '') return;
  throw jwtOptionsError(
    `operatorServiceUrls: ${quoted(url, 200)} is not the URL of a NATS server: give nats, tls, ws or wss, a host and a port, such as ` +
      'tls://nats.example.com:4222, and no user, password or path',
  );
}

/**
 * Checks the URL of an operator's account server: any scheme is allowed.
 *
 * Source: github.com/nats-io/jwt/v2, operator_claims.go (`validateAccountServerURL`).
 *
 * @throws JwtError `ERR_JWT_OPTIONS`
 */
export function checkAccountServerUrl(url: string): void {
  const parsed = parse(url);
  if (parsed !== undefined && parsed.username === '' && parsed.password === '') return;
  throw jwtOptionsError(
    `accountServerUrl: ${quoted(url, 200)} is no URL with a scheme, such as https://accounts.example.com/jwt/v1 or ` +
      'nats://nats.example.com:4222; users and passwords do not belong there',
  );
}

function parse(url: string): URL | undefined {
  try {
    const parsed = new URL(url);
    return parsed.host === '' ? undefined : parsed;
  } catch {
    return undefined;
  }
}
