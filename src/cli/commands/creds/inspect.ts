// `zester creds inspect`: show the contents of a .creds file, except its seed.
import { expiryTime } from '../../../jwt/expiry.js';
import type { Permission, UserClaims } from '../../../jwt/claims.js';
import { command } from '../../command/declaration.js';
import { argument } from '../../command/option.js';
import { exposedMode } from '../../terminal/exposed-mode.js';
import { limitDocument, limitRows, unknownClaims } from '../../terminal/limit-words.js';
import { table } from '../../terminal/output.js';
import { permissionRows } from '../../terminal/permission-words.js';
import { timeWordsAndDate } from '../../terminal/time-words.js';

/** A server's default `max_control_line`: the CONNECT line, and the JWT in it, must fit (docs/nats-facts.md, 12). */
const MAX_CONTROL_LINE = 4096;

export default command({
  summary: 'show the contents of a .creds file, except its seed',
  arguments: { file: argument('the .creds file') },
  notes: `
Shows the user, the issuer, the permissions, the limits and the expiry. To check whether they can be trusted, use
"zester creds verify".`,
  examples: [
    'zester creds inspect web-server-01.creds',
    'zester creds inspect web-server-01.creds --json | jq -r .expiresAt',
  ],
  async run({ file: path }, { io, output }) {
    const [{ loadCredsFile }, { isScopedUser }, { accountOf }] = await Promise.all([
      import('../../../creds/parse.js'),
      import('../../../jwt/scoped.js'),
      import('../../../jwt/account-of.js'),
    ]);
    const creds = await loadCredsFile(path);
    creds.wipe();
    const { claims, jwt } = creds;
    const now = io.now();
    const scoped = isScopedUser(claims);
    const account = accountOf(claims);
    const expiresAt = expiryTime(claims);
    const rows: Row[] = [
      ['name', claims.name ?? ''],
      ['public key', output.key(creds.publicKey)],
      [
        'issuer',
        account === claims.iss ? output.key(claims.iss) : `${output.key(claims.iss)} (a signing key)`,
      ],
      ['account', output.key(account)],
      ['issued', timeWordsAndDate(claims.iat * 1000, now)],
      ...(claims.nbf === undefined
        ? []
        : [['not before', timeWordsAndDate(claims.nbf * 1000, now)] as const]),
      ['expires', expiresAt === undefined ? 'never' : timeWordsAndDate(expiresAt, now)],
      ...(claims.aud === undefined ? [] : [['audience', claims.aud] as const]),
      ...rowsOfPermissions(claims, scoped),
      ...(scoped ? [] : limitRows(claims.nats)),
      ...otherRows(claims),
      [
        'size',
        `${jwt.length} bytes of JWT, ${Math.ceil((jwt.length / MAX_CONTROL_LINE) * 100)} % of a server's default ` +
          `max_control_line (${MAX_CONTROL_LINE})`,
      ],
    ];
    output.result([path, ...table(rows)], {
      path,
      name: claims.name ?? null,
      publicKey: creds.publicKey,
      issuer: claims.iss,
      account,
      issuedAt: isoOrNull(claims.iat * 1000),
      notBefore: claims.nbf === undefined ? null : isoOrNull(claims.nbf * 1000),
      expiresAt: expiresAt === undefined ? null : isoOrNull(expiresAt),
      expired: creds.isExpired(() => now),
      audience: claims.aud ?? null,
      permissions: scoped ? { from: 'scoped signing key' } : { from: 'jwt', ...permissionDocument(claims) },
      limits: scoped ? null : limitDocument(claims.nats),
      unknownClaims: unknownClaims(claims),
      bearer: claims.nats.bearer_token === true,
      tags: claims.nats.tags ?? [],
      jwtBytes: jwt.length,
      maxControlLineShare: Number((jwt.length / MAX_CONTROL_LINE).toFixed(4)),
    });
    const exposed = exposedMode(path);
    if (exposed !== undefined) output.warn(exposed);
  },
});

type Row = readonly [name: string, value: string | readonly string[]];

function rowsOfPermissions({ nats }: UserClaims, scoped: boolean): Row[] {
  if (scoped)
    return [['permissions', 'and limits: from the template of the scoped signing key, not in this file']];
  const rows = permissionRows(nats);
  return rows.length > 0
    ? rows
    : [['permissions', "none in the JWT: the account's defaults apply, else everything is allowed"]];
}

function permissionDocument({ nats }: UserClaims): object {
  const lists = (permission: Permission | undefined) => ({
    allow: permission?.allow ?? [],
    deny: permission?.deny ?? [],
  });
  return {
    publish: lists(nats.pub),
    subscribe: lists(nats.sub),
    responses: nats.resp === undefined ? null : { max: nats.resp.max, ttlSeconds: nats.resp.ttl / 1e9 },
  };
}

function otherRows(claims: UserClaims): Row[] {
  const { nats } = claims;
  const unknown = unknownClaims(claims);
  const rows: Row[] = [];
  if (nats.bearer_token === true) rows.push(['bearer', 'yes: the JWT alone is enough to connect']);
  if (nats.tags !== undefined && nats.tags.length > 0) rows.push(['tags', nats.tags.join(', ')]);
  if (unknown.length > 0) rows.push(['other claims', `${unknown.join(', ')}: unknown to this version`]);
  return rows;
}

function isoOrNull(ms: number): string | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
