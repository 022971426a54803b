// Joins the reports of several pushes.
import type { PushReport } from '../account/push-account.js';

/** A server that took only one of the two has not confirmed. */
export function bothOf(...reports: (PushReport | undefined)[]): PushReport {
  const failed = reports.flatMap((report) => report?.failed ?? []);
  const names = new Set(failed.map(({ server }) => server));
  const confirmed = new Set(reports.flatMap((report) => report?.confirmed ?? []));
  return {
    confirmed: [...confirmed].filter((server) => !names.has(server)),
    failed,
    notReached: [...new Set(reports.flatMap((report) => report?.notReached ?? []))],
  };
}
