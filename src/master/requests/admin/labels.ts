// The admin request that changes the labels of a peel.
import { FleetError } from '../../../errors.js';
import { mayRelabel } from '../../../permissions/admin-roles.js';
import {
  changedLabels,
  isLabelled,
  requireFewLabels,
  type Labels,
} from '../../../protocol/records/labels.js';
import type { PeelRecord } from '../../../protocol/records/record.js';
import type { MasterContext } from '../../context.js';
import { decideFresh } from '../../registry/decide-fresh.js';
import { unknownPeel, type Decision } from '../../registry/registry.js';
import type { Call } from '../service.js';

/** `peel.label`: sets and removes labels, in any state of the peel. Idempotent. */
export async function labelPeel(context: MasterContext, { request, by }: Call<'peel.label'>) {
  const { peelId, set, remove, reason } = request;
  const { record } = await decideFresh(context.registry, peelId, (found): Decision | undefined => {
    if (found === undefined) throw unknownPeel(peelId);
    if (isLabelled(found.labels, { set, remove })) return undefined;
    requireFewLabels(changedLabels(found.labels, { set, remove }));
    return {
      change: {
        kind: 'peel.labelled',
        ...(set !== undefined && { set }),
        ...(remove !== undefined && { remove }),
      },
      by,
      reason,
    };
  });
  return { record };
}

/**
 * Checks that an admin may give a peel these labels, and returns them.
 *
 * @param role the admin's; undefined: the owner's
 * @throws FleetError `ERR_FLEET_LABEL` when the peel would have too many of them; `ERR_FLEET_DENIED` when an existing
 *   label would be replaced and the role does not allow that
 */
export function checkedLabels(record: PeelRecord | undefined, labels: Labels, role?: string): Labels {
  if (role !== undefined && !mayRelabel(role)) {
    const known = record?.labels ?? {};
    const replaced = Object.keys(labels).find(
      (name) => Object.hasOwn(known, name) && known[name] !== labels[name],
    );
    if (replaced !== undefined) {
      throw new FleetError(
        'ERR_FLEET_DENIED',
        `the role ${role} may not replace the peel's label "${replaced}": ask an operator`,
        { peelId: record?.id },
      );
    }
  }
  requireFewLabels(changedLabels(record?.labels, { set: labels }));
  return labels;
}
