// The options and arguments that name labels.
import { FleetError, UsageError } from '../../errors.js';
import { parseLabelSelector } from '../../protocol/label-selector.js';
import { parseLabelChange, parseLabels, type Labels } from '../../protocol/records/labels.js';
import { option, repeated, type CommandOption } from '../command/option.js';

/** `--label NAME=VALUE`, repeatable: labels to set. */
export function labelsOption(about: string): CommandOption<Labels | undefined> {
  const { read, ...declared } = repeated('--label <name=value>', about);
  return {
    ...declared,
    read: (given, io) => {
      const texts = read(given, io);
      return texts === undefined ? undefined : asUsage('--label', () => parseLabels(texts));
    },
  };
}

/** `-l SELECTOR`: peels by label. The value is the validated text. */
export function selectorOption(
  about = 'only peels with these labels, e.g. env=prod,tier!=db,zone',
): CommandOption<string | undefined> {
  return option('-l, --selector <labels>', about, (text) => {
    asUsage('--selector', () => parseLabelSelector(text));
    return text;
  });
}

/** Parses label changes: `env=prod`, `tier-`. @throws UsageError */
export function labelChange(words: readonly string[]): { set: Labels; remove: string[] } {
  return asUsage('', () => parseLabelChange(words));
}

function asUsage<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof FleetError)) throw cause;
    throw new UsageError(name === '' ? cause.message : `${name}: ${cause.message}`, { cause });
  }
}
