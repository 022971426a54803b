// Formats Secret manifests.
import { createHash } from 'node:crypto';
import type { PeelCredential } from '../issue-batch.js';
import { printableJson } from '../../text/printable.js';
import { contentText } from './content-text.js';

/**
 * A YAML document: a Secret manifest with the credentials under the key `peel.creds`.
 *
 * @param namespace undefined: kubectl's current namespace applies
 */
export function secretManifest(credential: PeelCredential, namespace?: string): string {
  const { peelId, publicKey } = credential;
  // JSON strings are valid YAML (YAML 1.2, 10.3), so no value is mistaken for a number or for more than one value; but
  // YAML allows fewer characters, and treats more of them as line breaks
  const quoted = (value: string) => printableJson(JSON.stringify(value));
  return `---
apiVersion: v1
kind: Secret
metadata:
  name: ${quoted(secretName(peelId))}
${namespace === undefined ? '' : `  namespace: ${quoted(namespace)}\n`}\
  labels:
    app.kubernetes.io/managed-by: zester
  annotations:
    zester/peel-id: ${quoted(peelId)}
    zester/public-key: ${quoted(publicKey)}
type: Opaque
stringData:
  peel.creds: |
${indented(contentText(credential))}`;
}

/** The lines of a text that ends with a newline, as a YAML block. */
function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '    ');
}

/** The IDs that are valid in a Kubernetes name. */
const KUBERNETES_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** The end of a name with a hash. */
const HASH_END = /-[0-9a-f]{16}$/;

/**
 * The name of a peel's Secret: `zester-peel-<id>`. Kubernetes names cannot contain capitals or `_`: these are replaced,
 * and the start of the ID's hash is added, so that no two IDs share a Secret. An ID that ends like a hash gets one too:
 * otherwise it could be the name of another ID.
 */
export function secretName(peelId: string): string {
  if (KUBERNETES_NAME.test(peelId) && !HASH_END.test(peelId)) return `zester-peel-${peelId}`;
  const hash = createHash('sha256').update(peelId).digest('hex').slice(0, 16);
  return `zester-peel-${peelId.toLowerCase().replaceAll('_', '-')}-${hash}`;
}
