// Checks a program's labels, and that a master stored them.
import { FleetError } from '../errors.js';
import {
  checkLabelName,
  checkLabelValue,
  isLabelled,
  labelText,
  requireFewLabels,
  type LabelChange,
  type Labels,
} from '../protocol/records/labels.js';

/** A copy of labels. @throws FleetError `ERR_FLEET_LABEL` */
export function checkedLabels(labels: Labels): Labels {
  requireFewLabels(labels);
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [
      checkLabelName(name),
      checkLabelValue(name, String(value)),
    ]),
  );
}

/** A copy of a change. @throws FleetError `ERR_FLEET_LABEL` */
export function checkedChange({ set, remove }: LabelChange): LabelChange {
  const both = remove?.find((name) => set !== undefined && Object.hasOwn(set, name));
  if (both !== undefined)
    throw new FleetError('ERR_FLEET_LABEL', `the label "${checkLabelName(both)}" is both set and removed`);
  return {
    ...(set !== undefined && { set: checkedLabels(set) }),
    ...(remove !== undefined && { remove: remove.map(checkLabelName) }),
  };
}

/**
 * Checks that a master stored labels: one of an earlier version ignores them.
 *
 * @param what the action that succeeded anyway, as the beginning of a sentence
 * @throws FleetError `ERR_FLEET_INCOMPLETE`
 */
export function requireStored(given: Labels | undefined, stored: Labels | undefined, what: string): void {
  if (given === undefined || isLabelled(stored, { set: given })) return;
  throw new FleetError(
    'ERR_FLEET_INCOMPLETE',
    `${what}, but the master is of an earlier version and did not store the labels ${labelText(given)}: upgrade the masters`,
  );
}
