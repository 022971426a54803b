// Writes dist/sbom.cdx.json: what the package is made of, as a CycloneDX bill of materials. The build calls it.
//
// It names what an installation brings (dependencies), what is bundled into the command, and what may be added (optional
// peers). It holds no time and no random number: a build of the same sources writes the same bytes.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param folders those of the packages that are bundled into the command */
export function writeBillOfMaterials(folders) {
  // node_modules may be a link to elsewhere
  const bundled = folders.map((folder) => folder.replace(/^.*?node_modules\//, 'node_modules/'));
  const manifest = readManifest('.');
  const lock = existsSync('package-lock.json')
    ? JSON.parse(readFileSync('package-lock.json', 'utf8')).packages
    : {};
  const installed = installedFolders(Object.keys(manifest.dependencies));
  const peers = Object.keys(manifest.peerDependencies).map((name) => `node_modules/${name}`);
  const components = [
    ...installed.map((folder) => component(folder, lock, 'required', 'installed')),
    ...bundled
      .filter((folder) => !installed.includes(folder))
      .map((folder) => component(folder, lock, 'required', 'bundled')),
    ...peers
      .filter((folder) => existsSync(folder))
      .map((folder) => component(folder, lock, 'optional', 'peer')),
  ];
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'library', 'bom-ref': reference(manifest), ...named(manifest) } },
    components: components.sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1)),
  };
  writeFileSync('dist/sbom.cdx.json', `${JSON.stringify(document, null, 2)}\n`);
}

/** The folders of packages, and of what they depend on. */
function installedFolders(names) {
  const folders = new Set();
  const visit = (name) => {
    const folder = `node_modules/${name}`;
    if (folders.has(folder)) return;
    folders.add(folder);
    Object.keys(readManifest(folder).dependencies ?? {}).forEach(visit);
  };
  names.forEach(visit);
  return [...folders];
}

function component(folder, lock, scope, how) {
  const manifest = readManifest(folder);
  const integrity = lock[folder]?.integrity;
  return {
    type: 'library',
    'bom-ref': reference(manifest),
    ...named(manifest),
    scope,
    ...(integrity !== undefined && { hashes: [hashOf(integrity)] }),
    licenses: [licenseOf(manifest)],
    properties: [{ name: 'zester:how', value: how }],
  };
}

function named({ name, version }) {
  const [group, plain] = name.startsWith('@') ? name.split('/') : [undefined, name];
  return { ...(group !== undefined && { group }), name: plain, version, purl: reference({ name, version }) };
}

function reference({ name, version }) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/** What the lock file says, such as `sha512-…` in base64. */
function hashOf(integrity) {
  const [algorithm, base64] = integrity.split(' ')[0].split(/-(.*)/s);
  const alg = { sha512: 'SHA-512', sha1: 'SHA-1' }[algorithm];
  return { alg, content: Buffer.from(base64, 'base64').toString('hex') };
}

function licenseOf({ license }) {
  return /[() ]/.test(license) ? { expression: license } : { license: { id: license } };
}

function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
