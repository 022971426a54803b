// Sends signed notices to peels.
import { withDeadline } from '../../async/deadline.js';
import type { Notice } from '../../protocol/command.js';
import { encodeJson } from '../../protocol/messages.js';
import { noticeSubject } from '../../permissions/names.js';
import type { MasterContext } from '../context.js';
import { NOTICE_FLUSH_TIMEOUT_MS } from '../../timing.js';

/** A notice without its time. */
export type NoticeEntry = Notice extends infer N ? (N extends Notice ? Omit<N, 'at'> : never) : never;

/** Sends a peel a notice, signed by this master. A disconnected peel does not receive it. */
export async function notifyPeel(
  { nc, signer, now }: Pick<MasterContext, 'nc' | 'signer' | 'now'>,
  notice: NoticeEntry,
): Promise<void> {
  const subject = noticeSubject(notice.peelId);
  const data = encodeJson({ ...notice, at: new Date(now()).toISOString() });
  nc.publish(subject, data, { headers: signer.sign(subject, data) });
  // the next step may cut the peel's connection, so flush first; but do not wait for a connection that is down
  await withDeadline(
    nc.flush().catch(() => undefined),
    Date.now() + NOTICE_FLUSH_TIMEOUT_MS,
  );
}
