// Label selectors: which labels a peel must have to be selected.
import { FleetError, holdsSeed } from '../errors.js';
import { printable } from '../text/printable.js';
import { checkLabelName, checkLabelValue, type Labels } from './records/labels.js';

/** One requirement of a selector. */
export interface LabelRequirement {
  name: string;
  /**
   * - `in`: the label has one of the values.
   * - `notin`: it has none of them; a peel without the label is selected, too.
   * - `exists`, `missing`: the label is there, whatever its value, or it is not.
   */
  operator: 'in' | 'notin' | 'exists' | 'missing';
  values: readonly string[];
}

/** The requirements on a peel's labels: all must be met. */
export type LabelSelector = readonly LabelRequirement[];

/** In characters. */
export const MAX_SELECTOR = 1_000;

const TERM = {
  missing: /^!\s*([^\s!=(),]+)$/,
  compared: /^([^\s!=(),]+)\s*(==|!=|=)\s*([^\s!=(),]*)$/,
  listed: /^([^\s!=(),]+)\s+(in|notin)\s*\(([^()]*)\)$/,
  exists: /^([^\s!=(),]+)$/,
};

/**
 * Reads a label selector: requirements with commas between them, all of which must hold. `env=prod` (or `==`), `tier!=db`,
 * `zone in (eu-1,eu-2)`, `zone notin (us-1)`, `gpu` (the label exists) and `!gpu` (it does not).
 *
 * Source: the label selectors of Kubernetes; `!=` and `notin` also select a peel that has no such label.
 *
 * @throws FleetError `ERR_FLEET_LABEL` that names what is wrong: an empty selector, too, which would select everything
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

/** Whether a peel with these labels is selected. The cost grows only with the selector. */
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

/** The parts between commas, except commas in parentheses. */
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
  const shown = printable(term.length > 80 ? `${term.slice(0, 80)}…` : term);
  throw selectorError(
    `"${shown}" in the label selector is not understood: use NAME=VALUE, NAME!=VALUE, NAME in (A,B), NAME notin (A,B), ` +
      'NAME or !NAME, with commas between them',
  );
}

function selectorError(message: string): FleetError {
  return new FleetError('ERR_FLEET_LABEL', message);
}
