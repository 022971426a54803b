import type { Command } from 'commander';
import { FindingsError } from '../../errors.js';
import type { LintFinding, LintSubject } from '../../permissions/lint.js';
import type { Permissions } from '../../jwt/claims.js';
import { homeOf, withHomeOption, type HomeOptions } from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { readStandardInput } from '../standard-input.js';

interface Options extends GlobalOptions, HomeOptions {
  accountJwt?: string;
  strict?: boolean;
}

/** `zester permissions lint`: what is wrong with what a user, or every peel, may do. */
export function registerPermissionsLint(parent: Command, io: CliIo): void {
  withHomeOption(parent.command('lint'))
    .description('look for grants that expose other peels, that stall, or that match nothing')
    .argument('[file]', "a .creds file, or - for standard input (default: the template of the home's peels)")
    .option(
      '--account-jwt <file>',
      "for a scoped credential: the account JWT with its signing key's template (default: the home's)",
    )
    .option('--strict', 'end with 1 for warnings too')
    .addHelpText(
      'after',
      `
The rules are explained in docs/permissions-lint.md. Ends with 1 when there is an error among the findings.

Examples:
  $ zester permissions lint
  $ zester permissions lint web-server-01.creds
  $ vault read -field=creds secret/web-01 | zester permissions lint -`,
    )
    .action(async (file: string | undefined, _options, command: Command) => {
      await lint(file, command.optsWithGlobals<Options>(), io);
    });
}

interface Linted {
  what: string;
  permissions: Permissions;
  subject: LintSubject;
}

async function lint(file: string | undefined, options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const { lintPermissions } = await import('../../permissions/lint.js');
  const { what, permissions, subject } =
    file === undefined ? await ofTemplate(options, io) : await ofCredentials(file, options, io);
  const findings = lintPermissions(permissions, subject);
  output.result(
    [
      `${what}: ${findings.length === 0 ? output.colour('green', 'nothing found') : `${findings.length} found`}`,
      ...findings.flatMap((finding) => lines(finding, output)),
    ],
    { what, findings },
  );
  const bad = findings.filter(({ severity }) => severity === 'error' || options.strict === true);
  if (bad.length > 0) {
    throw new FindingsError(
      `${what}: ${bad.map(({ rule }) => rule).join(', ')}; docs/permissions-lint.md explains each`,
    );
  }
}

function lines({ severity, rule, grant, subject, message, fix }: LintFinding, output: Output): string[] {
  const where = [grant, subject].filter((part) => part !== undefined).join(' ');
  return [
    `  ${output.colour(severity === 'error' ? 'red' : 'yellow', severity.padEnd(7))}  ${rule}  ${where}`,
    `           ${message}`,
    `           do: ${fix}`,
  ];
}

async function ofTemplate(options: Options, io: CliIo): Promise<Linted> {
  const { openTrustDomain } = await import('../../trust/open.js');
  const { decodeAccountJwt } = await import('../../jwt/decode.js');
  const { templateOf } = await import('../../trust/user-permissions.js');
  const domain = await openTrustDomain(homeOf(options, io));
  const account = decodeAccountJwt(domain.accountJwt);
  const permissions = templateOf(account, domain.publicKeys.peelSigning) ?? {};
  return { what: `the template of ${domain.publicKeys.peelSigning}`, permissions, subject: {} };
}

async function ofCredentials(file: string, options: Options, io: CliIo): Promise<Linted> {
  const { loadCredsFile, parseCredsData } = await import('../../creds/parse.js');
  const { lintSubjectOf, userPermissions } = await import('../../trust/user-permissions.js');
  const { isScopedUser } = await import('../../jwt/scoped.js');
  const creds =
    file === '-' ? parseCredsData(await readStandardInput(), 'standard input') : await loadCredsFile(file);
  creds.wipe();
  const { claims, path } = creds;
  const accountJwt = isScopedUser(claims) ? await accountJwtFor(options, io) : undefined;
  return {
    what: path,
    permissions: userPermissions(claims, accountJwt, path),
    subject: lintSubjectOf(claims),
  };
}

async function accountJwtFor(options: Options, io: CliIo): Promise<string> {
  if (options.accountJwt !== undefined) {
    const { loadJwtFile } = await import('../../creds/load-jwt-file.js');
    return loadJwtFile(options.accountJwt);
  }
  const { openTrustDomain } = await import('../../trust/open.js');
  return (await openTrustDomain(homeOf(options, io))).accountJwt;
}
