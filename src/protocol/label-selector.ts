// Label selectors: the labels that a peel must have to be selected.
import { FleetError, holdsSeed } from '../errors.js';
import { printable } from '../text/printable.js';
import { excerpt } from '../text/excerpt.js';
import { checkLabelName, checkLabelValue, type Labels } from './records/labels.js';

/** One requirement of a selector. */
export interface LabelRequirement {
  name: string;
  /**
   * - `in`: the label has one of the values.
   * - `notin`: it has none of them; also selects a peel without the label.
   * - `exists`, `missing`: the peel has the label, with any value, or does not have it.
   */
  operator: 'in' | 'notin' | 'exists' | 'missing';
  values: readonly string[];
}

/** Requirements on a peel's labels, all of which must be met. */
export type LabelSelector = readonly LabelRequirement[];

/** The maximum length of a selector, in characters. */
export const MAX_SELECTOR = 1_000;

const TERM = {
  missing: /^!\s*([^\s!=(),]+)$/,
  compared: /^([^\s!=(),]+)\s*(==|!=|=)\s*([^\s!=(),]*)$/,
  listed: /^([^\s!=(),]+)\s+(in|notin)\s*\(([^()]*)\)$/,
  exists: /^([^\s!=(),]+)$/,
};

/**
 * Parses a label selector: comma-separated requirements, all of which must be met. `env=prod` (or `==`), `tier!=db`,
 * `zone in (eu-1,eu-2)`, `zone notin (us-1)`, `gpu` (the label exists) and `!gpu` (it does not).
 *
 * Source: the label selectors of Kubernetes; `!=` and `notin` also select a peel without the label.
 *
 * @throws FleetError `ERR_FLEET_LABEL` that names the mistake; also for an empty selector, which would select all peels
 * @example parseLabelSelector('env=prod,tier!=db,zone');
 */
export function parseLabelSelector(text: string): LabelSelector {
  if (holdsSeed(text)) throw selectorError('the label selector contains a seed');
  if (text.length > MAX_SELECTOR)
    throw selectorError(
      `the label selector has ${text.length} characters: at most ${MAX_SELECTOR} are allowed`,
    );
  if (text.trim() === '') throw selectorError('the label selector is empty: give one such as env=prod');
  return terms(text).map(requirement);
}

/** Whether the selector selects a peel with these labels. The cost depends only on the selector. */
export function selectsLabels(selector: LabelSelector, labels: Labels | undefined): boolean {
  return selector.every(({ name, operator, values }) => {
    const value = labels !== undefined && Object.hasOwn(labels, name) ? labels[name] : undefined;
    switch (operator) {
      case 'exists':
        return value !== undefined;
      case 'missing':
        return value === undefined;
      case 'in':
        return value !== undefined && values.includes(value);
      case 'notin':
        return value === undefined || !values.includes(value);
    }
  });
}

/** Splits at commas outside parentheses. */
function terms(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    else if (text[at] === ')') depth -= 1;
    else if (text[at] === ',' && depth === 0) {
      found.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...found, text.slice(start)].map((term) => term.trim());
}

function requirement(term: string): LabelRequirement {
  const missing = TERM.missing.exec(term);
  if (missing !== null) return { name: checkLabelName(missing[1] ?? ''), operator: 'missing', values: [] };
  const exists = TERM.exists.exec(term);
  if (exists !== null) return { name: checkLabelName(exists[1] ?? ''), operator: 'exists', values: [] };
  const compared = TERM.compared.exec(term);
  if (compared !== null) {
    const name = checkLabelName(compared[1] ?? '');
    const value = checkLabelValue(name, compared[3] ?? '');
    return { name, operator: compared[2] === '!=' ? 'notin' : 'in', values: [value] };
  }
  const listed = TERM.listed.exec(term);
  if (listed !== null) {
    const name = checkLabelName(listed[1] ?? '');
    const values = (listed[3] ?? '').split(',').map((value) => checkLabelValue(name, value.trim()));
    return { name, operator: listed[2] === 'notin' ? 'notin' : 'in', values };
  }
  const shown = printable(excerpt(term, 80));
  throw selectorError(
    `"${shown}" in the label selector is not understood: use NAME=VALUE, NAME!=VALUE, NAME in (A,B), NAME notin (A,B), ` +
      'NAME or !NAME, with commas between them',
  );
}

function selectorError(message: string): FleetError {
  return new FleetError('ERR_FLEET_LABEL', message);
}
