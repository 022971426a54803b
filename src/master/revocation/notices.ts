// Sends signed notices to peels.
import type { Notice } from '../../protocol/command.js';
import { encodeJson } from '../../protocol/messages.js';
import { noticeSubject } from '../../permissions/names.js';
import type { MasterContext } from '../context.js';

/** A notice without its time. */
export type NoticeEntry = Notice extends infer N ? (N extends Notice ? Omit<N, 'at'> : never) : never;

/**
 * Sends a peel a notice, signed by this master. A disconnected peel does not receive it.
 *
 * The server gets it before later writes of records, which use the same connection: once a decision is confirmed, the
 * notice is on its way, and the next step may cut the peel's connection.
 */
export function notifyPeel(
  { nc, signer, now }: Pick<MasterContext, 'nc' | 'signer' | 'now'>,
  notice: NoticeEntry,
): void {
  const subject = noticeSubject(notice.peelId);
  const data = encodeJson({ ...notice, at: new Date(now()).toISOString() });
  nc.publish(subject, data, { headers: signer.sign(subject, data) });
}
