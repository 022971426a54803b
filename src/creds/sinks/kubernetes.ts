import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import type { CredentialSink } from './sink.js';
import type { ByteTarget } from './target.js';
import { contentText, textStreamSink } from './text-stream.js';

/** What the manifests say beside the credentials. */
export interface KubernetesSinkOptions {
  /** Left out by default: kubectl's own applies. */
  namespace?: string;
}

/** A stream of YAML documents, each the manifest of a Secret with the credentials under the key `peel.creds`. */
export function kubernetesSink(target: ByteTarget, options: KubernetesSinkOptions = {}): CredentialSink {
  const { namespace } = options;
  return textStreamSink(target, (credential) => {
    const { peelId, publicKey } = credential;
    const manifest = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: secretName(peelId),
        ...(namespace !== undefined && { namespace }),
        labels: { 'app.kubernetes.io/managed-by': 'zester' },
        annotations: { 'zester/peel-id': peelId, 'zester/public-key': publicKey },
      },
      type: 'Opaque',
      stringData: { 'peel.creds': contentText(credential) },
    };
    return `---\n${stringify(manifest, { lineWidth: 0 })}`;
  });
}

/**
 * The name of a peel's Secret: `zester-peel-<id>`. The names of Kubernetes have no capitals and no `_`: an id that has
 * gets them replaced, and the beginning of its hash added, so that no two ids share a Secret.
 */
export function secretName(peelId: string): string {
  if (/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(peelId)) return `zester-peel-${peelId}`;
  const hash = createHash('sha256').update(peelId).digest('hex').slice(0, 16);
  return `zester-peel-${peelId.toLowerCase().replaceAll('_', '-')}-${hash}`;
}
