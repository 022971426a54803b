/**
 * Writes the public API of each entry point into `api/` (`--update`), or checks that what is there is still true.
 * It reads `dist/`, so build first. A change of the API thereby shows in a review as a diff.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const update = process.argv.includes('--update');

interface Manifest {
  name: string;
  exports: Record<string, string | { types: string }>;
}
const { name, exports } = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8')) as Manifest;
const entries = Object.entries(exports).flatMap(([entry, target]) =>
  typeof target === 'string'
    ? []
    : [
        {
          report: entry === '.' ? name : `${name}-${entry.slice(2)}`,
          types: `${ROOT}${target.types.slice(2)}`,
        },
      ],
);
const configured = entries.map(({ report, types }) => ({ report, config: configuration(report, types) }));
// all entry points are read at once
const [first] = configured;
const compilerState =
  first && CompilerState.create(first.config, { additionalEntryPoints: entries.map(({ types }) => types) });
let stale = false;
for (const { report, config } of configured) {
  const { succeeded, apiReportChanged } = Extractor.invoke(config, {
    localBuild: update,
    ...(compilerState && { compilerState }),
    messageCallback: (message) => {
      message.handled = message.logLevel !== ExtractorLogLevel.Error;
    },
  });
  if (apiReportChanged) {
    stale = true;
    console.error(`api/${report}.api.md ${update ? 'is updated' : 'no longer describes the public API'}`);
  } else if (!succeeded) throw new Error(`the API of ${report} cannot be read`);
}
if (stale && !update) {
  console.error(
    'If the change is meant, run `npm run build && npm run api:update` and commit the result; it belongs in CHANGELOG.md too.',
  );
  process.exitCode = 1;
}

function configuration(report: string, types: string): ExtractorConfig {
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: `${ROOT}package.json`,
    configObject: {
      projectFolder: ROOT,
      mainEntryPointFilePath: types,
      compiler: {
        overrideTsconfig: {
          compilerOptions: { module: 'nodenext', target: 'es2022', types: ['node'], skipLibCheck: true },
          include: ['dist'],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: report,
        reportFolder: `${ROOT}api`,
        reportTempFolder: `${ROOT}node_modules/.cache/api-report`,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        // only the report is wanted: the types of other packages and the style of comments are checked elsewhere
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  });
}
