// `zester permissions lint`: find grants that expose peels, stall, or match nothing.
import { FindingsError } from '../../../errors.js';
import type { Permissions } from '../../../jwt/claims.js';
import type { LintFinding, LintSubject } from '../../../permissions/lint.js';
import type { TrustDomain } from '../../../trust/domain.js';
import { command } from '../../command/declaration.js';
import { flag, optionalArgument, text } from '../../command/option.js';
import type { Output } from '../../terminal/output.js';
import { readStandardInput } from '../../options/standard-input.js';

export default command({
  summary: 'find grants that are unsafe, or that cannot work',
  needs: 'home',
  arguments: {
    file: optionalArgument("a .creds file, or - for standard input (default: the peels' template)"),
  },
  options: {
    accountJwt: text('--account-jwt <file>', "account JWT of a scoped credential (default: the home's)"),
    strict: flag('--strict', 'treat warnings as errors'),
  },
  notes: 'docs/permissions-lint.md explains the rules. Exit code 1 when a finding is an error.',
  examples: [
    'zester permissions lint',
    'zester permissions lint web-server-01.creds',
    'vault read -field=creds secret/web-01 | zester permissions lint -',
  ],
  async run({ file, accountJwt, strict }, { output, openHome }) {
    const { lintPermissions } = await import('../../../permissions/lint.js');
    const { what, permissions, subject } =
      file === undefined
        ? await ofTemplate(await openHome())
        : await ofCredentials(file, accountJwt, openHome);
    const findings = lintPermissions(permissions, subject);
    output.result(
      [
        `${what}: ${findings.length === 0 ? output.colour('green', 'nothing found') : `${findings.length} found`}`,
        ...findings.flatMap((finding) => lines(finding, output)),
      ],
      { what, findings },
    );
    const bad = findings.filter(({ severity }) => severity === 'error' || strict);
    if (bad.length > 0) {
      throw new FindingsError(
        `${what}: ${bad.map(({ rule }) => rule).join(', ')}; docs/permissions-lint.md explains each`,
      );
    }
  },
});

interface Linted {
  what: string;
  permissions: Permissions;
  subject: LintSubject;
}

function lines({ severity, rule, grant, subject, message, fix }: LintFinding, output: Output): string[] {
  const where = [grant, subject].filter((part) => part !== undefined).join(' ');
  return [
    `  ${output.colour(severity === 'error' ? 'red' : 'yellow', severity.padEnd(7))}  ${rule}  ${where}`,
    `           ${message}`,
    `           do: ${fix}`,
  ];
}

async function ofTemplate(domain: TrustDomain): Promise<Linted> {
  const { decodeAccountJwt } = await import('../../../jwt/decode.js');
  const { templateOf } = await import('../../../trust/user-permissions.js');
  const account = decodeAccountJwt(domain.accountJwt);
  const permissions = templateOf(account, domain.publicKeys.peelSigning) ?? {};
  return { what: `the template of ${domain.publicKeys.peelSigning}`, permissions, subject: {} };
}

async function ofCredentials(
  file: string,
  accountJwtFile: string | undefined,
  openHome: () => Promise<TrustDomain>,
): Promise<Linted> {
  const { loadCredsFile, parseCredsData } = await import('../../../creds/parse.js');
  const { lintSubjectOf, userPermissions } = await import('../../../trust/user-permissions.js');
  const { isScopedUser } = await import('../../../jwt/scoped.js');
  const creds =
    file === '-' ? parseCredsData(await readStandardInput(), 'standard input') : await loadCredsFile(file);
  creds.wipe();
  const { claims, path } = creds;
  const accountJwt = isScopedUser(claims) ? await accountJwtFor(accountJwtFile, openHome) : undefined;
  return {
    what: path,
    permissions: userPermissions(claims, accountJwt, path),
    subject: lintSubjectOf(claims),
  };
}

async function accountJwtFor(
  file: string | undefined,
  openHome: () => Promise<TrustDomain>,
): Promise<string> {
  if (file === undefined) return (await openHome()).accountJwt;
  const { loadJwtFile } = await import('../../../creds/load-jwt-file.js');
  return loadJwtFile(file);
}
