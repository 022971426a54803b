import type { Command } from 'commander';
import { FindingsError, ZesterError } from '../../errors.js';
import type { Finding } from '../../trust/finding.js';
import {
  connectionOf,
  homeOf,
  withHomeOption,
  withServersOption,
  type HomeOptions,
  type ServersOptions,
} from '../home-options.js';
import { tlsSettings } from '../../trust/tls-settings.js';
import { EXIT, exitCodeOf } from '../exit-codes.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions, HomeOptions, ServersOptions {
  creds?: string[];
  offline?: boolean;
  strict?: boolean;
  integrity?: boolean;
  allowStream?: string[];
  knownKey?: string[];
}

/** `zester doctor`: what is wrong, and what to do. */
export function registerDoctor(parent: Command, io: CliIo): void {
  withServersOption(withHomeOption(parent.command('doctor')))
    .description(
      'check the home, the servers, the fleet and credentials, and say what to do about what is wrong',
    )
    .option('--creds <file...>', '.creds files to check too')
    .option('--offline', 'look at files only')
    .option('--strict', 'end with 1 for warnings too')
    .option(
      '--integrity',
      'look for traces of an attack, and for nothing else: in the registry, the audit, and JetStream',
    )
    .option('--allow-stream <name...>', 'with --integrity: streams of your own')
    .option('--known-key <key...>', 'with --integrity: users (U…) of your own that this home does not know')
    .addHelpText(
      'after',
      `
Ends with 0 when all is well or there are only warnings, 1 when something is wrong, and when only the server is: 4 when it
cannot be reached, 3 when it does not trust this home. Nothing is changed. Of the fleet it looks for masters that run and
revocations that they hold, peels that wait or whose credentials have expired, and credentials in use whose signing key the
account does not trust; what could not be checked is a warning.

--integrity lists records and audit events that do not agree, streams and consumers that are none of the fleet's, and
connected keys that nobody issued. It ends with 1 when it finds something. It reads the whole audit.

Examples:
  $ zester doctor
  $ zester doctor --integrity
  $ zester doctor --creds /etc/zester/web-server-01.creds
  $ zester doctor --offline --json | jq '.findings[] | select(.severity != "ok")'`,
    )
    .action(async (_options, command: Command) => {
      await doctor(command.optsWithGlobals<Options>(), io);
    });
}

async function doctor(options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  if (options.integrity === true)
    return report(output, { integrity: await integrity(options, output, io) }, options);
  const { examine } = await import('../../nats-server/doctor.js');
  const found = await examine(homeOf(options, io), {
    ...(options.servers !== undefined && { servers: options.servers }),
    ...tlsSettings(options, {}, io.env),
    ...(options.creds !== undefined && { credentials: options.creds }),
    offline: options.offline === true,
    now: io.now,
    env: io.env,
  });
  const fleet = options.offline === true ? [] : await fleetFindings(found.server, options, io);
  report(output, { ...found, fleet }, options);
}

async function fleetFindings(server: readonly Finding[], options: Options, io: CliIo): Promise<Finding[]> {
  const { checkFleet, fleetNotChecked } = await import('../fleet/check-fleet.js');
  const unreachable = server.find(({ check, severity }) => check === 'reachable' && severity === 'error');
  if (unreachable !== undefined) return [fleetNotChecked(unreachable)];
  const { openTrustDomain } = await import('../../trust/open.js');
  try {
    const domain = await openTrustDomain(homeOf(options, io));
    // these are .creds files to check, and not who asks
    const at: Options = { ...options };
    delete at.creds;
    return await checkFleet(domain, at, io);
  } catch (error) {
    if (error instanceof ZesterError) return [fleetNotChecked(error)];
    throw error;
  }
}

async function integrity(options: Options, output: Output, io: CliIo): Promise<Finding[]> {
  const { openTrustDomain } = await import('../../trust/open.js');
  const { checkIntegrity } = await import('../fleet/integrity.js');
  const domain = await openTrustDomain(homeOf(options, io));
  return checkIntegrity(domain, {
    ...connectionOf(options, io, domain),
    ...(options.allowStream !== undefined && { allowedStreams: options.allowStream }),
    ...(options.knownKey !== undefined && { knownKeys: options.knownKey }),
    progress: (text) => output.note(text),
  });
}

/** @throws FindingsError when something is wrong */
function report(output: Output, found: object, options: Options): void {
  const parts = Object.entries(found) as [string, Finding[]][];
  const findings = parts.flatMap(([part, list]) => list.map((finding) => ({ part, ...finding })));
  const count = (severity: Finding['severity']) => findings.filter((f) => f.severity === severity).length;
  const [errors, warnings] = [count('error'), count('warning')];
  const shown = parts.filter(([, list]) => list.length > 0);
  output.result(
    [
      ...shown.flatMap(([part, list]) => [part, ...list.flatMap((finding) => lines(finding, output))]),
      `${errors} errors, ${warnings} warnings, ${count('ok')} checks without a finding`,
    ],
    { ok: errors === 0, errors, warnings, findings },
  );
  const bad = findings.filter(
    ({ severity }) => severity === 'error' || (severity === 'warning' && options.strict),
  );
  if (bad.length > 0) throw failure(bad);
}

function lines({ severity, check, subject, message, fix }: Finding, output: Output): string[] {
  const colour = ({ ok: 'green', warning: 'yellow', error: 'red' } as const)[severity];
  // most messages of errors begin with what they are about
  const what = message.includes(subject) ? message : `${subject}: ${message}`;
  return [
    `  ${output.colour(colour, severity.padEnd(7))}  ${check.padEnd(11)}  ${what}`,
    ...(fix === undefined ? [] : [`${' '.repeat(24)}do: ${fix}`]),
  ];
}

/** The error that stands for the findings; the exit code is that of the server's error when there is no other. */
function failure(bad: readonly Finding[]): FindingsError {
  const [first] = bad;
  const codes = new Set(bad.map(({ code }) => exitCodeOf(Object.assign(new Error(), { code }))));
  const only = codes.size === 1 ? [...codes][0] : EXIT.failed;
  return new FindingsError(
    `${bad.length === 1 ? 'one thing is not as it should be' : `${bad.length} things are not as they should be, the first`}: ${first?.message}`,
    only === EXIT.refused || only === EXIT.unreachable ? only : EXIT.failed,
  );
}
