// Labels of peels: their grammar, and changes of them.
import * as v from 'valibot';
import { FleetError, holdsSeed } from '../../errors.js';
import { excerpt } from '../../text/excerpt.js';
import { printable } from '../../text/printable.js';

/** Labels by name, such as `{ env: 'prod', zone: 'eu-1' }`. Only admins and join tokens assign them; a peel cannot. */
export type Labels = Readonly<Record<string, string>>;

/** A change of labels. Labels that it does not name stay. */
export interface LabelChange {
  /** Labels to add or to change. */
  set?: Labels | undefined;
  /** Names of labels to remove. */
  remove?: readonly string[] | undefined;
}

/** The limit keeps records small: a record is one message of its bucket. */
export const MAX_LABELS = 32;

// A subset of what Kubernetes allows: a name may have a prefix, but prefix and name together have the limit of a value.
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
/** Names that are special in JavaScript objects. */
const RESERVED: ReadonlySet<string> = new Set(['constructor', 'prototype']);

/**
 * Checks the name of a label: 1 to 63 letters, digits, `-`, `_`, `.` and `/`; the first and the last character are a
 * letter or a digit.
 *
 * @throws FleetError `ERR_FLEET_LABEL`; the message never repeats a seed
 */
export function checkLabelName(name: string): string {
  if (holdsSeed(name)) throw labelError('the name of a label contains a seed');
  if (NAME.test(name) && !RESERVED.has(name)) return name;
  throw labelError(
    `"${shown(name)}" is not a label name: use 1 to 63 of A-Z a-z 0-9 - _ . /, beginning and ending with a letter or digit`,
  );
}

/**
 * Checks the value of a label: empty, or 1 to 63 letters, digits, `-`, `_` and `.`; the first and the last character
 * are a letter or a digit.
 *
 * @throws FleetError `ERR_FLEET_LABEL`; the message never repeats a seed
 */
export function checkLabelValue(name: string, value: string): string {
  if (holdsSeed(value)) throw labelError(`the value of the label "${shown(name)}" contains a seed`);
  if (VALUE.test(value)) return value;
  throw labelError(
    `"${shown(value)}" is not a value of the label "${shown(name)}": use at most 63 of A-Z a-z 0-9 - _ ., ` +
      'beginning and ending with a letter or digit',
  );
}

/**
 * Parses labels from the command line: `env=prod`.
 *
 * @throws FleetError `ERR_FLEET_LABEL` when one is malformed, or a name has two values
 * @example parseLabels(['env=prod', 'zone=eu-1']); // { env: 'prod', zone: 'eu-1' }
 */
export function parseLabels(texts: readonly string[]): Labels {
  const labels: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at < 0) {
      if (holdsSeed(text)) throw labelError('a label contains a seed');
      throw labelError(`"${shown(text)}" is not a label: give NAME=VALUE, such as env=prod`);
    }
    const name = checkLabelName(text.slice(0, at));
    const value = checkLabelValue(name, text.slice(at + 1));
    if (Object.hasOwn(labels, name) && labels[name] !== value)
      throw labelError(`the label "${name}" is given two values: "${labels[name] ?? ''}" and "${value}"`);
    labels[name] = value;
  }
  requireFewLabels(labels);
  return labels;
}

/**
 * Parses a label change from the command line: `env=prod` sets a label, `tier-` removes one.
 *
 * @throws FleetError `ERR_FLEET_LABEL` as {@link parseLabels}, and when a label is both set and removed
 * @example parseLabelChange(['env=prod', 'tier-']); // { set: { env: 'prod' }, remove: ['tier'] }
 */
export function parseLabelChange(texts: readonly string[]): { set: Labels; remove: string[] } {
  const isRemoval = (text: string) => !text.includes('=') && text.endsWith('-');
  const set = parseLabels(texts.filter((text) => !isRemoval(text)));
  const removed = texts.filter(isRemoval).map((text) => checkLabelName(text.slice(0, -1)));
  const both = removed.find((name) => Object.hasOwn(set, name));
  if (both !== undefined) throw labelError(`the label "${both}" is both set and removed`);
  return { set, remove: [...new Set(removed)] };
}

/** Labels after a change, sorted by name; undefined: none left. Checks nothing. */
export function changedLabels(
  labels: Labels | undefined,
  { set, remove = [] }: LabelChange,
): Labels | undefined {
  const all = Object.entries({ ...labels, ...set }).filter(([name]) => !remove.includes(name));
  return all.length === 0 ? undefined : Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The labels of a join token that a peel gets: those whose names it does not have yet. So the creator of a token cannot
 * relabel an existing ID. Labels over the limit are left out.
 *
 * @returns undefined: none
 */
export function addedLabels(labels: Labels | undefined, given: Labels | undefined): Labels | undefined {
  const known = labels ?? {};
  const room = MAX_LABELS - Object.keys(known).length;
  const added = Object.entries(given ?? {}).filter(([name]) => !Object.hasOwn(known, name));
  return added.length === 0 || room <= 0 ? undefined : Object.fromEntries(added.slice(0, room));
}

/** Whether a change has no effect on labels. */
export function isLabelled(labels: Labels | undefined, { set = {}, remove = [] }: LabelChange): boolean {
  const known = labels ?? {};
  return (
    Object.entries(set).every(([name, value]) => Object.hasOwn(known, name) && known[name] === value) &&
    !remove.some((name) => Object.hasOwn(known, name))
  );
}

/** @throws FleetError `ERR_FLEET_LABEL` when there are more than {@link MAX_LABELS} */
export function requireFewLabels(labels: Labels | undefined): void {
  const count = Object.keys(labels ?? {}).length;
  if (count > MAX_LABELS) throw labelError(`${count} labels are too many: at most ${MAX_LABELS} are allowed`);
}

/** Formats labels as one word: `env=prod,zone=eu-1`. */
export function labelText(labels: Labels | undefined): string {
  return Object.entries(labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

/** The labels in a request. */
export const labelsSchema = v.custom<Labels>(isLabels, 'is not a set of labels');

/** The labels of a record: stored labels are kept, even if a newer version allowed them. */
export const storedLabelsSchema = v.custom<Labels>(isStringRecord, 'is not a set of labels');

/** The names of labels in a request. */
export const labelNamesSchema = v.pipe(
  v.array(v.pipe(v.string(), v.check(isLabelName, 'is not a label name'))),
  v.maxLength(MAX_LABELS),
  v.readonly(),
);

function isLabels(value: unknown): boolean {
  if (!isStringRecord(value)) return false;
  const entries = Object.entries(value as Labels);
  const isValid = ([name, text]: readonly [string, string]) =>
    isLabelName(name) && VALUE.test(text) && !holdsSeed(text);
  return entries.length <= MAX_LABELS && entries.every(isValid);
}

function isLabelName(name: string): boolean {
  return NAME.test(name) && !RESERVED.has(name) && !holdsSeed(name);
}

function isStringRecord(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((text) => typeof text === 'string');
}

/** Input as a message shows it. */
function shown(text: string): string {
  return printable(excerpt(text, 80));
}

function labelError(message: string): FleetError {
  return new FleetError('ERR_FLEET_LABEL', message);
}
