// Builds dist/. "npm run build" runs it.
//
// The library is compiled file by file, so that a user's bundler takes only what the program needs. The command is bundled,
// together with the packages that only it needs (docs/decisions/0007-bundled-command.md): it starts faster, and an agent
// that installs zester does not install commander, pino, prom-client, age, tar and yaml.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { writeBillOfMaterials } from './sbom.mjs';

/** An import or export of another source, types excluded: the names, and the path without `.js`. */
const IMPORTS = /^(?:import|export) (?!type )([^;]*?) from '(\.{1,2}\/[^']+)\.js';$/gms;
/** Shorter files start faster; functions keep their names, so that the stack of an error can be read. */
const MINIFY = { compress: true, mangle: { keepNames: true }, codegen: { removeWhitespace: true } };

/** Modules that stand alone, with the packages that they need: programs of threads, and the metrics of a master. */
const STANDALONE = [
  'src/provision/sinks/encrypter.ts',
  'src/provision/worker.ts',
  'src/provision/sinks/file-writer.ts',
  'src/master/metrics.ts',
];
/** Stands for what starts programs, in commander. */
const NO_PROGRAMS = 'virtual:no-programs';
/** What every command loads besides, in one file. */
const START = closure(['src/cli/run.ts', 'src/cli/terminal/io.ts']);
/** What commands load that read a credential, in one file. */
const CREDENTIALS = closure([
  'src/creds/parse.ts',
  'src/jwt/scoped.ts',
  'src/jwt/account-of.ts',
  'src/cli/terminal/limit-words.ts',
  'src/cli/terminal/permission-words.ts',
  'src/cli/terminal/time-words.ts',
  'src/cli/terminal/exposed-mode.ts',
]);

rmSync('dist', { recursive: true, force: true });
// comments only in the types, where editors show them: the package has a size limit
compile('--emitDeclarationOnly');
compile('--declaration', 'false', '--removeComments', '--noCheck');
foldProducts('dist/timing.js');
removeDeclarationsBut(
  reachable(['dist/index.d.ts', 'dist/master/index.d.ts', 'dist/peel/index.d.ts', 'dist/testing/index.d.ts']),
);
rmSync('dist/cli', { recursive: true });

const packages = new Set();
for (const path of STANDALONE) await bundle([path], { codeSplitting: false });
await bundle(['src/cli/main.ts', ...filesBelow('src/cli/commands')], {
  format: 'cjs', // starts faster than ESM: no loader of its own, no facades of Node's modules
  chunkFileNames: 'cli/chunks/[name]-[hash].js',
  codeSplitting: {
    includeDependenciesRecursively: false,
    groups: [
      {
        name: 'start',
        test: (id) =>
          START.has(inSource(id)) || id.includes('/node_modules/commander/') || id === NO_PROGRAMS,
        priority: 2,
      },
      {
        name: 'credentials',
        test: (id) => CREDENTIALS.has(inSource(id)),
        priority: 1,
      },
      // not needed to read a credential
      { name: 'schemas', test: (id) => /\/node_modules\/valibot\//.test(id), priority: 1 },
    ],
  },
});
await buildPage();
writeFileSync('dist/cli/package.json', '{"type":"commonjs"}\n');
chmodSync('dist/cli/main.js', 0o755);
writeLicenses([...packages].sort());
writeBillOfMaterials([...packages]);

/** Compiles the library file by file. */
function compile(...options) {
  const arguments_ = ['node_modules/typescript-7/bin/tsc', '-p', 'tsconfig.build.json', ...options];
  execFileSync(process.execPath, arguments_, { stdio: 'inherit' });
}

/** Bundles programs of the source into the places that they would have in dist/. */
async function bundle(paths, output) {
  const build = await rolldown({
    input: Object.fromEntries(paths.map((path) => [inSource(path).replace(/\.ts$/, ''), path])),
    platform: 'node',
    external: /^@nats-io\//, // the library needs it anyway, and few commands connect
    preserveEntrySignatures: 'allow-extension',
    plugins: [modulePlaces(), noExecutableCommands(), builtinsAsTheyAre(output.format)],
    optimization: { inlineConst: { mode: 'all' } },
    // a command loads what it needs when it runs, and need not know what others have loaded
    checks: { ineffectiveDynamicImport: false },
  });
  const { output: files } = await build.write({
    dir: 'dist',
    entryFileNames: '[name].js',
    exports: 'named',
    minify: MINIFY,
    ...output,
  });
  addPackages(files);
}

/** Remembers the packages that a bundle contains. */
function addPackages(files) {
  for (const id of files.flatMap(({ moduleIds = [] }) => moduleIds)) {
    const [folder] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? [];
    if (folder !== undefined) packages.add(relative('.', folder));
  }
}

/**
 * The page of `zester ui`: one script with everything that it needs, the styles, the document and the icon. Nothing else is
 * loaded when it runs. No other command reads these files.
 */
async function buildPage() {
  const build = await rolldown({
    input: { app: 'src/ui/main.tsx' },
    platform: 'browser',
    resolve: { extensionAlias: { '.js': ['.ts', '.tsx', '.js'] } },
  });
  const { output: files } = await build.write({
    dir: 'dist/ui',
    entryFileNames: 'app.js',
    codeSplitting: false,
    minify: true,
  });
  addPackages(files);
  for (const name of ['index.html', 'app.css', 'icon.svg']) copyFileSync(`src/ui/${name}`, `dist/ui/${name}`);
}

/** `import.meta.url` of a module that was bundled is that of its bundle: gives it back the place it would have in dist/. */
function modulePlaces() {
  return {
    name: 'module-places',
    transform: {
      filter: { id: /\/src\/cli\/|\/src\/protocol\/|\/src\/provision\//, code: /import\.meta\.url/ },
      handler(code, id) {
        const place = `'${inSource(id).replace(/\.ts$/, '.js')}'`;
        // a file that is found by its place is loaded as the bundle's files load each other
        code = code.replace('await import(file.href)', 'require(fileURLToPath(file))');
        const url = `(import.meta.url.slice(0, import.meta.url.lastIndexOf('/cli/') + 1) + ${place})`;
        return code.replaceAll('import.meta.url', url);
      },
    },
  };
}

/** Commander can start other programs for its commands. Ours has none, and loading what starts them takes milliseconds. */
function noExecutableCommands() {
  return {
    name: 'no-executable-commands',
    resolveId: {
      filter: { id: /^node:child_process$/ },
      handler: (_id, importer) => (importer?.includes('/node_modules/commander/') ? NO_PROGRAMS : null),
    },
    load: { filter: { id: /^virtual:no-programs$/ }, handler: () => 'export {};' },
  };
}

/**
 * In CommonJS, a namespace is a copy of what is required, with a function for each name. That of `node:crypto` takes as long as
 * reading a credential.
 */
function builtinsAsTheyAre(format) {
  return {
    name: 'builtins-as-they-are',
    transform: {
      filter: { code: /^import \* as \w+ from 'node:/m },
      handler: (code) =>
        format === 'cjs'
          ? code.replaceAll(/^import \* as (\w+) from ('node:\w+');$/gm, 'const $1 = require($2);')
          : null,
    },
  };
}

/** `5 * 60_000` as one number: esbuild keeps a constant that nobody uses when it is computed. */
function foldProducts(path) {
  const folded = readFileSync(path, 'utf8').replace(/= ([\d_]+(?: \* [\d_]+)+);$/gm, (_, product) => {
    const factors = product.split(' * ').map((factor) => Number(factor.replaceAll('_', '')));
    return `= ${factors.reduce((one, other) => one * other)};`;
  });
  writeFileSync(path, folded);
}

/** The path of a source below src/. */
function inSource(path) {
  return relative('src', path);
}

/** The modules that load with these: what they import statically, types excluded. Paths below src/. */
function closure(entries) {
  const reached = new Set();
  const visit = (path) => {
    if (reached.has(inSource(path))) return;
    reached.add(inSource(path));
    for (const [, names, file] of readFileSync(path, 'utf8').matchAll(IMPORTS))
      if (loads(names)) visit(join(dirname(path), `${file}.ts`));
  };
  entries.forEach(visit);
  return reached;
}

function loads(names) {
  const [, list] = /^\{(.*)\}$/s.exec(names) ?? [];
  return (
    list === undefined ||
    list.split(',').some((name) => name.trim() !== '' && !name.trim().startsWith('type '))
  );
}

/** The declarations that a program sees which imports these. */
function reachable(entries) {
  const reached = new Set();
  const visit = (path) => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const [, file] of readFileSync(path, 'utf8').matchAll(/(?:from |import\()'(\.{1,2}\/[^']+)\.js'/g))
      visit(join(dirname(path), `${file}.d.ts`));
  };
  entries.forEach(visit);
  return reached;
}

function removeDeclarationsBut(kept) {
  for (const path of filesBelow('dist')) if (path.endsWith('.d.ts') && !kept.has(path)) rmSync(path);
}

/** The licences of bundled packages demand that their text goes with them. */
function writeLicenses(folders) {
  const texts = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? '' : `\n\n${readFileSync(join(folder, file), 'utf8').trim()}`;
    return `${name} ${version} (${license})${text}`;
  });
  const line = '-'.repeat(80);
  writeFileSync(
    'dist/third-party-licenses.txt',
    `Packages that are bundled into these files, and their licences.\n\n${texts.join(`\n\n${line}\n\n`)}\n`,
  );
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
