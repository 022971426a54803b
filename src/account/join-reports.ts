// Joins the reports of several pushes: a pure function.
import type { PushReport } from './push-account.js';

/**
 * Merges the reports of several pushes to the same servers. A server that did not accept all of them has not
 * confirmed; repeated problems are listed once.
 *
 * @param reports undefined: one that was not pushed
 */
export function joinReports(...reports: readonly (PushReport | undefined)[]): PushReport {
  const failed = new Map<string, PushReport['failed'][number]>();
  for (const failure of reports.flatMap((report) => report?.failed ?? []))
    failed.set(JSON.stringify([failure.server, failure.problem]), failure);
  const lacking = new Set([...failed.values()].map(({ server }) => server));
  const confirmed = new Set(reports.flatMap((report) => report?.confirmed ?? []));
  return {
    confirmed: [...confirmed].filter((server) => !lacking.has(server)),
    failed: [...failed.values()],
    notReached: [...new Set(reports.flatMap((report) => report?.notReached ?? []))],
  };
}
