// The findings of `zester doctor` for the page, one run at a time.
import { examine } from '../../doctor/examine.js';
import { ZesterError } from '../../errors.js';
import type { Finding } from '../../trust/finding.js';
import { tlsSettings } from '../../trust/tls-settings.js';
import type { FleetContext } from '../command/context.js';
import { checkFleet, fleetNotChecked } from '../fleet/check-fleet.js';

/** Runs `zester doctor` with the home of a command. Changes nothing. */
export async function findingsOf({
  io,
  home,
  given,
  openHome,
}: FleetContext): Promise<(Finding & { part: string })[]> {
  const found = await examine(home, {
    ...(given.servers !== undefined && { servers: given.servers }),
    ...tlsSettings(given, {}, io.env),
    now: io.now,
    env: io.env,
  });
  const fleet = await openHome()
    .then((domain) => checkFleet(domain, given, io))
    .catch((error: unknown) => {
      if (error instanceof ZesterError) return [fleetNotChecked(error)];
      throw error;
    });
  return Object.entries({ ...found, fleet }).flatMap(([part, findings]) =>
    (findings as Finding[]).map((finding) => ({ part, ...finding })),
  );
}
