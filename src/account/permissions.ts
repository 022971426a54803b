// Shows and changes the peels' permission template.
import type { PermissionOptions } from '../jwt/permission-options.js';
import { decodeAccountJwt } from '../jwt/decode.js';
import { openTrustDomain } from '../trust/open.js';
import { scopedKeyOf, withDefaultLimits, withTemplatePermissions } from '../trust/keys/signing-keys.js';
import { checkTemplate, templatePermissions, withoutEmptyLists } from '../trust/template.js';
import { changeAccount, withOpenHome, type AccountChange, type ChangeOptions } from './change-account.js';

/** The permissions in the template of the peel signing key. */
export interface PeelTemplate {
  /** The name of the signing key. */
  role: string;
  /** The keys that have it: several during a rotation. */
  signingKeys: string[];
  permissions: PermissionOptions;
}

/** Reads the template from the home's account JWT. @throws TrustError */
export async function peelTemplate(home: string): Promise<PeelTemplate> {
  const domain = await openTrustDomain(home);
  const claims = decodeAccountJwt(domain.accountJwt);
  const key = scopedKeyOf(home, claims, domain.publicKeys.peelSigning);
  const keys = (claims.nats.signing_keys ?? []).flatMap((other) =>
    typeof other !== 'string' &&
    (other.key === key.key || (key.role !== undefined && other.role === key.role))
      ? [other.key]
      : [],
  );
  return { role: key.role ?? '', signingKeys: keys, permissions: templatePermissions(key.template) };
}

/** The result of {@link setPeelTemplate}. */
export interface TemplateChange extends AccountChange {
  before: PermissionOptions;
  after: PermissionOptions;
}

/**
 * Changes what every peel may do without reissuing credentials: edits the template of the scoped signing key, and
 * pushes the account. Connected peels reconnect once, with the new permissions.
 *
 * @param edit returns the new permissions
 * @returns which servers confirmed: see `requireComplete`
 * @throws TrustError `ERR_TRUST_PERMISSIONS`; as `changeAccount`
 */
export async function setPeelTemplate(
  home: string,
  edit: (permissions: PermissionOptions) => PermissionOptions,
  options: ChangeOptions & {
    /** Also give the template the limits and connection types of a new one. */
    defaultLimits?: boolean;
  },
): Promise<TemplateChange> {
  return withOpenHome(home, 'zester permissions set', options, async (open) => {
    const publicKey = open.domain.publicKeys.peelSigning;
    let before: PermissionOptions = {};
    let after: PermissionOptions = {};
    const change = await changeAccount(
      open,
      (claims) => {
        before = templatePermissions(scopedKeyOf(home, claims, publicKey).template);
        const edited = edit(before);
        checkTemplate(home, edited);
        after = withoutEmptyLists(edited);
        const changed = same(before, after)
          ? claims
          : withTemplatePermissions(home, claims, publicKey, after);
        if (options.defaultLimits !== true) return changed;
        const complete = withDefaultLimits(home, changed, publicKey);
        return JSON.stringify(complete) === JSON.stringify(claims) ? claims : complete;
      },
      { now: options.now },
    );
    return { ...change, before, after };
  });
}

function same(one: PermissionOptions, other: PermissionOptions): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
