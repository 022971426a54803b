import { Option, type Command } from 'commander';
import type { ListedPeel } from '../../fleet/messages.js';
import type { PeelState } from '../../fleet/record.js';
import { columns, count } from '../columns.js';
import { EXPIRY_FORM, parseExpiry } from '../duration.js';
import { asAdmin, withAdminOptions, type AdminOptions } from '../fleet/admin.js';
import { peelDocument, type PeelDocument } from '../fleet/peel-document.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { requirePeelPattern } from '../peel-pattern.js';
import { timeWords } from '../time-words.js';

interface Options extends GlobalOptions, AdminOptions {
  state?: PeelState;
  expiring?: string;
  connected?: boolean;
}

/** `zester peel list`: the registry. */
export function registerPeelList(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('list'))
    .description('list the peels of the registry')
    .argument('[pattern]', 'only ids that match; * stands for any characters, ? for one')
    .addOption(
      new Option('--state <state>', 'only those in this state').choices([
        'pending',
        'accepted',
        'active',
        'rejected',
        'revoked',
      ]),
    )
    .option('--expiring <time>', `only those whose credential expires by then: ${EXPIRY_FORM}`)
    .option('--connected', 'only those that are connected')
    .option('--no-connected', 'only those that are not')
    .addHelpText(
      'after',
      `
Who is connected is known from the servers, not from the peels. The key that a fingerprint is of is the one in use, or
else the last one.

Examples:
  $ zester peel list
  $ zester peel list 'web-*' --state pending
  $ zester peel list --expiring 1h --no-connected --json | jq -r '.peels[].id'`,
    )
    .action(async (pattern: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      if (pattern !== undefined) requirePeelPattern(pattern);
      const output = new Output(io, options);
      const within = options.expiring === undefined ? undefined : parseExpiry(options.expiring, io.now());
      const skipped: string[] = [];
      let held: { peels: number; since: string } | undefined;
      const peels = await asAdmin(options, io, async ({ client }) => {
        ({ held } = await client.ask('status', {}));
        const all: ListedPeel[] = [];
        const request = {
          ...(pattern !== undefined && { pattern }),
          ...(options.state !== undefined && { state: options.state }),
          ...(within !== undefined && { expiringWithin: within }),
          ...(options.connected !== undefined && { connected: options.connected }),
        };
        for await (const part of client.stream('peel.list', request)) {
          all.push(...part.peels);
          skipped.push(...(part.skipped ?? []));
        }
        return all.sort((a, b) => (a.record.id < b.record.id ? -1 : 1));
      });
      const now = io.now();
      const documents = peels.map(({ record, presence }) => peelDocument(record, presence, now));
      const words = (iso: string | null) => (iso === null ? '-' : timeWords(Date.parse(iso), now));
      output.result(
        documents.length === 0
          ? [`no peel${pattern === undefined ? '' : ` matches ${pattern}`}`]
          : columns(
              ['ID', 'STATE', 'CONNECTED', 'EXPIRES', 'LAST SEEN', 'FINGERPRINT'],
              documents.map((peel) => [
                peel.id,
                peel.state,
                peel.connected ? 'yes' : 'no',
                expiryWords(peel, words),
                peel.connected ? 'now' : words(peel.lastSeen),
                peel.fingerprint ?? '-',
              ]),
            ),
        { peels: documents, skipped, revocationsHeld: held ?? null },
      );
      if (skipped.length > 0) {
        output.warn(`left out, since their records do not fit a message: ${skipped.join(', ')}`);
      }
      if (held !== undefined) {
        output.note(
          `the masters hold the revocation of ${held.peels} healthy peels since ${held.since}: see "zester audit", then ` +
            '"zester master resume"',
        );
      }
      if (documents.length > 0) output.note(count(documents.length, 'peel'));
    });
}

/** When its credential expires; of a key that opens nothing any more, nothing. */
function expiryWords(
  { keyState, issuedAt, expiresAt }: PeelDocument,
  words: (iso: string | null) => string,
): string {
  if (keyState === 'revoking' || keyState === 'revoked') return '-';
  return issuedAt !== null && expiresAt === null ? 'never' : words(expiresAt);
}
