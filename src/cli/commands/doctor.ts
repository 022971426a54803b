// `zester doctor`: find problems, and suggest fixes.
import { FindingsError, ZesterError } from '../../errors.js';
import type { Finding } from '../../trust/finding.js';
import { tlsSettings } from '../../trust/tls-settings.js';
import type { ServersContext } from '../command/context.js';
import { command } from '../command/declaration.js';
import { flag, grouped, list } from '../command/option.js';
import { EXIT, exitCodeOf } from '../terminal/exit-codes.js';
import type { Output } from '../terminal/output.js';

export default command({
  summary: 'diagnose the home, the servers and the fleet',
  keepsKeys: true,
  section: 'Check',
  needs: 'servers',
  options: {
    creds: list('--creds <file...>', 'also check these .creds files'),
    offline: flag('--offline', 'check files only'),
    strict: flag('--strict', 'treat warnings as errors'),
    integrity: flag('--integrity', 'only search for traces of an attack'),
    ...grouped('Options of --integrity', {
      allowStream: list('--allow-stream <name...>', 'do not report these streams'),
      knownKey: list('--known-key <key...>', 'do not report these users (U…)'),
    }),
  },
  notes: `
Checks the home, the servers, the fleet and credentials, suggests a fix for each problem, and changes nothing.
--integrity compares the registry with the audit log, and lists foreign streams and consumers, and connected keys that
were never issued; it reads the whole audit log.

Exit codes: 0 no errors, 1 errors; if the only error is that a server does not trust this home, 3, or is unreachable, 4.`,
  examples: [
    'zester doctor',
    'zester doctor --integrity',
    'zester doctor --creds /etc/zester/web-server-01.creds',
    `zester doctor --offline --json | jq '.findings[] | select(.severity != "ok")'`,
  ],
  async run({ creds, offline, strict, integrity, allowStream, knownKey }, context) {
    const { io, output, home, given } = context;
    if (integrity) {
      const found = await integrityFindings(context, { allowedStreams: allowStream, knownKeys: knownKey });
      return report(output, { integrity: found }, strict);
    }
    const { examine } = await import('../../doctor/examine.js');
    const found = await examine(home, {
      ...(given.servers !== undefined && { servers: given.servers }),
      ...tlsSettings(given, {}, io.env),
      ...(creds !== undefined && { credentials: creds }),
      offline,
      now: io.now,
      env: io.env,
    });
    const fleet = offline ? [] : await fleetFindings(found.server, context);
    report(output, { ...found, fleet }, strict);
  },
});

async function fleetFindings(
  server: readonly Finding[],
  { io, given, openHome }: ServersContext,
): Promise<Finding[]> {
  const { checkFleet, fleetNotChecked } = await import('../fleet/check-fleet.js');
  const unreachable = server.find(({ check, severity }) => check === 'reachable' && severity === 'error');
  if (unreachable !== undefined) return [fleetNotChecked(unreachable)];
  try {
    return await checkFleet(await openHome(), given, io);
  } catch (error) {
    if (error instanceof ZesterError) return [fleetNotChecked(error)];
    throw error;
  }
}

async function integrityFindings(
  { output, openHome, connection }: ServersContext,
  { allowedStreams, knownKeys }: Record<'allowedStreams' | 'knownKeys', string[] | undefined>,
): Promise<Finding[]> {
  const { checkIntegrity } = await import('../fleet/check-integrity.js');
  const domain = await openHome();
  return checkIntegrity(domain, {
    ...connection(domain),
    ...(allowedStreams !== undefined && { allowedStreams }),
    ...(knownKeys !== undefined && { knownKeys }),
    progress: (text) => output.note(text),
  });
}

/** @throws FindingsError if there are problems */
function report(output: Output, found: object, strict: boolean): void {
  const parts = Object.entries(found) as [string, Finding[]][];
  const findings = parts.flatMap(([part, list]) => list.map((finding) => ({ part, ...finding })));
  const count = (severity: Finding['severity']) => findings.filter((f) => f.severity === severity).length;
  const [errors, warnings] = [count('error'), count('warning')];
  const shown = parts.filter(([, list]) => list.length > 0);
  output.result(
    [
      ...shown.flatMap(([part, list]) => [part, ...list.flatMap((finding) => lines(finding, output))]),
      `${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}, ${count('ok')} checks passed`,
    ],
    { ok: errors === 0, errors, warnings, findings },
  );
  const bad = findings.filter(({ severity }) => severity === 'error' || (severity === 'warning' && strict));
  if (bad.length > 0) throw failure(bad);
}

function lines({ severity, check, subject, message, fix }: Finding, output: Output): string[] {
  const colour = ({ ok: 'green', warning: 'yellow', error: 'red' } as const)[severity];
  // most error messages begin with their subject
  const what = message.includes(subject) ? message : `${subject}: ${message}`;
  return [
    `  ${output.colour(colour, severity.padEnd(7))}  ${check.padEnd(11)}  ${what}`,
    ...(fix === undefined ? [] : [`${' '.repeat(24)}do: ${fix}`]),
  ];
}

/** Turns the findings into an error, with their exit code if they all have the same one. */
function failure(bad: readonly Finding[]): FindingsError {
  const [first] = bad;
  const codes = new Set(bad.map(({ code }) => exitCodeOf(Object.assign(new Error(), { code }))));
  const only = codes.size === 1 ? [...codes][0] : EXIT.failed;
  return new FindingsError(
    `${bad.length === 1 ? 'one problem found' : `${bad.length} problems found, the first`}: ${first?.message}`,
    only === EXIT.refused || only === EXIT.unreachable ? only : EXIT.failed,
  );
}
