// `zester peel label`: set and remove labels of peels.
import { FleetError, UsageError } from '../../../errors.js';
import { command } from '../../command/declaration.js';
import { text, words } from '../../command/option.js';
import { chosenPeels, choiceWords } from '../../fleet/chosen-peels.js';
import { decideOnEach } from '../../fleet/decide-on-each.js';
import { peelDocument } from '../../fleet/peel-document.js';
import { labelChange, selectorOption } from '../../options/label-options.js';
import { peelPattern } from '../../options/peel-pattern.js';
import { labelText } from '../../../protocol/records/labels.js';

/** Concurrent requests. */
const AT_ONCE = 16;

export default command({
  summary: 'set and remove labels of peels',
  needs: 'fleet',
  arguments: {
    words: words('IDs or one pattern, then NAME=VALUE to set a label, NAME- to remove one', {
      atLeastOne: true,
    }),
  },
  options: {
    selector: selectorOption('change the peels with these labels, instead of those named'),
    reason: text('--reason <text>', 'recorded in the audit log'),
  },
  notes: `
A name has 1 to 63 letters, digits and - _ . /, a value at most 63 letters, digits and - _ .; both begin and end with a
letter or digit. A peel has at most 32 labels, and cannot change its own.`,
  examples: [
    ['zester peel label web-01 env=prod tier-', 'set env, remove tier'],
    "zester peel label 'web-*' tier=web",
    ['zester peel label -l zone=eu-1 zone=eu-2', 'rename a zone'],
  ],
  async run({ words: given, selector, reason }, context) {
    const { peels, changes } = splitWords(given, selector !== undefined);
    const change = labelChange(changes);
    const { client, fleet } = await context.fleet();
    const [pattern = ''] = peels;
    const choice = isPattern(pattern) ? { pattern } : { labels: selector };
    let ids = peels;
    if (selector !== undefined || isPattern(pattern)) {
      ids = [];
      for await (const { id } of chosenPeels(client, choice)) ids.push(id);
      if (ids.length === 0)
        throw new FleetError(
          'ERR_FLEET_UNKNOWN_PEEL',
          `no peel matches ${choiceWords(choice)}: see "zester peel list"`,
        );
    }
    await decideOnEach(ids, context, {
      done: 'labelled',
      atOnce: AT_ONCE,
      line: ({ labels }) => (Object.keys(labels).length === 0 ? 'no labels' : labelText(labels)),
      decide: async (peelId) => peelDocument(await fleet.peels.label(peelId, { ...change, reason })),
    });
  },
});

const isPattern = (word: string): boolean => /[*?]/.test(word);

/**
 * The peels, and the changes after them. The first word is a peel even if it ends in a dash, as an ID may.
 *
 * @throws UsageError
 */
function splitWords(given: readonly string[], bySelector: boolean): { peels: string[]; changes: string[] } {
  const isChange = (word: string, i: number) =>
    word.includes('=') || (word.endsWith('-') && (bySelector || i > 0));
  const at = given.findIndex(isChange);
  const peels = [...given.slice(0, at < 0 ? given.length : at)];
  const changes = at < 0 ? [] : given.slice(at);
  if (changes.length === 0)
    throw new UsageError('no labels given: pass NAME=VALUE to set one, NAME- to remove one');
  if (bySelector === peels.length > 0)
    throw new UsageError('select peels by ID, by a pattern, or by labels (-l): exactly one of these');
  if (peels.length > 1 && peels.some(isPattern)) throw new UsageError('pass one pattern, or IDs');
  peels.filter(isPattern).forEach(peelPattern);
  return { peels, changes: [...changes] };
}
