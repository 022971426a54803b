// Validates and compares subjects.
import { holdsSeed, SubjectError } from '../errors.js';
import { quoted } from '../text/quoted.js';
import { bag, checkOptions, flag, type Entries } from '../options/check-options.js';

/** The allowed tokens of a subject, besides literal ones. */
export interface SubjectRules {
  /** `*` and `>`; true by default. */
  wildcards?: boolean | undefined;
  /** Templates of scoped signing keys, such as `{{name()}}`; false by default. */
  templates?: boolean | undefined;
}

const RULES = bag({ wildcards: flag, templates: flag } satisfies Entries<SubjectRules>);
const rulesError = (message: string) => new SubjectError(message);

const TEMPLATE = /^\{\{(name|subject|account-name|account-subject|tag|account-tag)\([^(){}\s]*\)\}\}$/;

/**
 * Checks a subject: tokens separated by dots, none empty, no white space or control characters, wildcards only as
 * whole tokens, `>` only as the last one. Source: docs.nats.io/nats-concepts/subjects; for templates, docs.nats.io
 * "Scoped Signing Keys".
 *
 * @returns the subject
 * @throws SubjectError
 * @example
 * import { SubjectError, validateSubject } from 'zester';
 *
 * console.log(validateSubject('orders.*.created')); // orders.*.created
 * try {
 *   validateSubject('orders.*.created', { wildcards: false });
 * } catch (error) {
 *   if (!(error instanceof SubjectError)) throw error;
 *   console.log(error.code); // ERR_SUBJECT
 * }
 */
export function validateSubject(subject: string, rules: SubjectRules = {}): string {
  checkOptions('validateSubject', rules, RULES, rulesError);
  const fail = (why: string): never => {
    throw new SubjectError(`${quoted(subject, 200)} is not a subject: ${why}`);
  };
  if (typeof subject !== 'string' || subject === '') fail('it is empty');
  if (holdsSeed(subject)) fail('it contains a seed: treat that as exposed');
  if (/[\s\p{Cc}]/u.test(subject)) fail('it contains white space or control characters');
  const tokens = subject.split('.');
  tokens.forEach((token, i) => {
    if (token === '') fail('it has an empty token');
    if (token === '*' || token === '>') {
      if (rules.wildcards === false) fail('wildcards are not allowed here');
      if (token === '>' && i < tokens.length - 1) fail('> is allowed only at the end');
    } else if (token.includes('{{') || token.includes('}}')) {
      if (rules.templates !== true) fail('templates are for scoped signing keys');
      if (!TEMPLATE.test(token))
        fail(
          `${token} is not a whole-token template: a template within a token needs nats-server 2.11 or newer, but 2.10 is supported`,
        );
    } else if (/[*>]/.test(token)) {
      fail(`in ${token} the wildcard is not a whole token, so servers treat it as a plain character`);
    }
  });
  return subject;
}

/**
 * Whether `outer` matches everything that `inner` matches. Both must be valid subjects, with or without wildcards.
 *
 * @example
 * import { subjectCovers } from 'zester';
 *
 * console.log(subjectCovers('orders.>', 'orders.*.created')); // true
 * console.log(subjectCovers('orders.*', 'orders.eu.created')); // false
 */
export function subjectCovers(outer: string, inner: string): boolean;
/** The same, with an options object. */
export function subjectCovers(subjects: { outer: string; inner: string }): boolean;
export function subjectCovers(first: string | { outer: string; inner: string }, second = ''): boolean {
  const { outer, inner } = typeof first === 'string' ? { outer: first, inner: second } : first;
  const outerTokens = outer.split('.');
  const innerTokens = inner.split('.');
  for (const [i, token] of outerTokens.entries()) {
    const other = innerTokens[i];
    if (other === undefined) return false;
    if (token === '>') return true;
    if (token === '*' ? other === '>' : token !== other) return false;
  }
  return outerTokens.length === innerTokens.length;
}
