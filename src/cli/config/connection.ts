// The TLS settings of a master or a peel.
import type { TrustDomain } from '../../trust/domain.js';
import { connectionOf, type ConnectionOf } from '../options/home-options.js';
import type { CliIo } from '../terminal/io.js';
import type { ConfigValues, SettingName } from './load.js';

/** The TLS settings of a program. */
export const TLS_SETTINGS = ['tlsCa', 'tlsCert', 'tlsKey', 'requireTls'] as const satisfies SettingName[];

/** The servers and TLS options of a program. @throws ConnectError `ERR_CONNECT_URL` */
export function connectionOfConfig(values: ConfigValues, io: CliIo, domain?: TrustDomain): ConnectionOf {
  const { servers, tlsCa, tlsCert, tlsKey, requireTls } = values;
  return connectionOf(
    { ...(servers !== undefined && { servers }), tlsCa, tlsCert, tlsKey, requireTls },
    io,
    domain,
  );
}
