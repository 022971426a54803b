// `zester init`: create the trust domain of a fleet.
import type { TrustDomain } from '../../trust/domain.js';
import { tlsSettings, type TlsSettings } from '../../trust/tls-settings.js';
import { ADOPT_OPTIONS, adoptedFiles } from '../options/adopted-files.js';
import { command } from '../command/declaration.js';
import { grouped, list, option, text } from '../command/option.js';
import { TLS_OPTIONS } from '../command/shared-options.js';
import { daysText, parseRenewedLifetime } from '../options/duration.js';
import { table, type Output } from '../terminal/output.js';
import { OWN_CREDENTIALS_LIFETIME_SECONDS } from '../../timing.js';

export default command({
  summary: 'create the trust domain of a fleet',
  section: 'Start here',
  needs: 'home',
  options: {
    operator: text('--operator <name>', 'name of the new operator (default: zester)'),
    account: text(
      '--account <name>',
      "name of the fleet's new account (default: fleet); nsc stores accounts by name",
    ),
    servers: list('--servers <url...>', "the fleet's servers, stored in the home"),
    credsLifetime: option(
      '--creds-lifetime <time>',
      `lifetime of the credentials of master, admin and system, which renew themselves; 0 = never expires (default: ${daysText(OWN_CREDENTIALS_LIFETIME_SECONDS)})`,
      parseRenewedLifetime,
    ),
    ...TLS_OPTIONS,
    ...grouped('Options to adopt an existing operator or account', ADOPT_OPTIONS),
  },
  notes: `
Creates the operator, accounts, signing keys and the first credentials. Running it again completes an interrupted run,
and does not change a complete home.

The credentials of master, admin and system expire after --creds-lifetime, and renew themselves while in use. Peels of
earlier versions ignore such masters: for a fleet with such peels, pass 0, and run "zester keys add master-signing" once
they are upgraded. An adopted operator needs that command, too, once the servers have the account ("zester account
push").`,
  examples: [
    'zester init',
    'zester init --home /srv/zester --operator acme --account plant-7 --servers nats://n1:4222',
    'zester init --operator-jwt acme.jwt --operator-signing-seed acme-sk.nk --system-account-jwt SYS.jwt --system-creds sys.creds',
  ],
  async run({ operator, account, servers: given, credsLifetime, ...rest }, { io, output, home }) {
    const { tlsCa, tlsCert, tlsKey, requireTls, ...adoption } = rest;
    const files = adoptedFiles(adoption);
    const tls = tlsSettings({ tlsCa, tlsCert, tlsKey, requireTls }, {}, {});
    const { parseServerUrls } = await import('../../connection/server-urls.js');
    const servers = given === undefined ? undefined : parseServerUrls(given).map(({ url }) => url);
    const { loadAdoptedTrust, wipeAdoptedTrust } = await import('../../trust/create/load-adopted.js');
    const { createTrustDomain } = await import('../../trust/create/create.js');
    const { ensureServerConfiguration } = await import('../../nats-server/write-configuration.js');
    const adopt = files === undefined ? undefined : await loadAdoptedTrust(files);
    const steps: Step[] = [];
    try {
      const domain = await createTrustDomain(home, {
        ...(operator !== undefined && { operatorName: operator }),
        ...(account !== undefined && { accountName: account }),
        ...(servers !== undefined && { servers }),
        ...tls,
        ...(credsLifetime !== undefined && { credsLifetime }),
        ...(adopt !== undefined && { adopt }),
        now: io.now,
        onStep: (step) => steps.push(step),
      });
      if (
        adopt !== undefined &&
        adopt.accountJwt === undefined &&
        account === undefined &&
        steps.some(({ made }) => made)
      ) {
        output.note(
          `the new account is named "${domain.names.account}"; nsc stores accounts by name: if the operator has another one of that ` +
            'name, choose one with --account',
        );
      }
      const configuration = await ensureServerConfiguration(domain);
      if (configuration !== undefined) steps.push(configuration);
      const state = report(domain, steps, output);
      warnOfWhatStays(domain, { servers, tls, credsLifetime }, output);
      if (state === 'unchanged') return;
      output.note(
        configuration === undefined
          ? 'next: configure your nats-servers with "zester server config", and issue credentials with "zester creds bootstrap <id>"'
          : 'next: run a nats-server with "zester server", and issue credentials with "zester creds bootstrap <id>"',
      );
    } finally {
      if (adopt !== undefined) wipeAdoptedTrust(adopt);
    }
  },
});

interface Step {
  path: string;
  made: boolean;
}

function report(domain: TrustDomain, steps: readonly Step[], output: Output): string {
  const { names, publicKeys, servers } = domain;
  const made = steps.filter((step) => step.made).map(({ path }) => path);
  const state = made.length === 0 ? 'unchanged' : made.length === steps.length ? 'created' : 'completed';
  const headlines = {
    unchanged: `${domain.home} already has a trust domain; nothing was changed`,
    created: `created a trust domain in ${domain.home}`,
    completed: `completed the trust domain in ${domain.home}: ${made.length} of ${steps.length} files were missing`,
  };
  const { joinSigning } = publicKeys;
  output.result(
    [
      headlines[state],
      ...table([
        ['operator', `${names.operator}  ${output.key(publicKeys.operator)}`],
        ['system account', `${names.systemAccount}  ${output.key(publicKeys.systemAccount)}`],
        ['account', `${names.account}  ${output.key(publicKeys.account)}`],
        ['peels signed by', output.key(publicKeys.peelSigning)],
        [
          'tokens signed by',
          joinSigning === undefined ? 'none yet: "zester keys add join-signing"' : output.key(joinSigning),
        ],
        ...(servers.length > 0 ? [['servers', servers] as const] : []),
      ]),
    ],
    {
      home: domain.home,
      state,
      made,
      names,
      publicKeys: { ...publicKeys, joinSigning: joinSigning ?? null },
      servers,
    },
  );
  return state;
}

/** An existing home keeps its settings, whatever the command line says. */
function warnOfWhatStays(
  domain: TrustDomain,
  {
    servers,
    tls,
    credsLifetime,
  }: { servers: string[] | undefined; tls: TlsSettings; credsLifetime: number | undefined },
  output: Output,
): void {
  const { home, paths } = domain;
  if (servers !== undefined && servers.join() !== domain.servers.join()) {
    output.warn(
      `the servers of ${home} are still ${domain.servers.join(', ') || 'not set'}: edit "servers" in ${paths.settings} to change ` +
        'them',
    );
  }
  const lifetime = domain.settings.renewal?.lifetime ?? 0;
  if (credsLifetime !== undefined && credsLifetime !== lifetime) {
    output.warn(
      lifetime === 0
        ? `the credentials of ${home} still do not expire: to change that, run "zester keys add master-signing"`
        : `the credentials of ${home} still have a lifetime of ${lifetime} s: edit "lifetime" below "renewal" in ${paths.settings} to change it`,
    );
  }
  const tlsDiffers = tls.tls !== undefined && JSON.stringify(tls.tls) !== JSON.stringify(domain.tls);
  if (tlsDiffers || (tls.requireTls !== undefined && tls.requireTls !== domain.requireTls)) {
    output.warn(
      `the TLS settings of ${home} were not changed: edit "tls" ("caFile", "certFile", "keyFile") and "requireTls" in ` +
        `${paths.settings} to change it`,
    );
  }
}
