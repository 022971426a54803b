// Converts lint results to findings.
import type { LintFinding } from '../permissions/lint.js';
import type { Finding } from './finding.js';

/** The lint results as findings; a single "ok" if there are none. */
export function lintFindings(found: readonly LintFinding[], subject: string): Finding[] {
  if (found.length === 0) {
    return [{ severity: 'ok', check: 'permissions', subject, message: 'no lint findings' }];
  }
  return found.map(({ severity, rule, grant, subject: pattern, message, fix }) => ({
    severity,
    check: 'permissions',
    subject,
    message: `${[rule, grant, pattern].filter((part) => part !== undefined).join(' ')}: ${message}`,
    fix,
  }));
}
