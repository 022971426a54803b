// Replaces the peel signing key: switches to another, has peels renew, removes the old one.
import { removeAccountSigningKey } from '../../account/rotate-keys.js';
import { endPeelKeyRotation, switchPeelSigningKey } from '../../account/peel-key-rotation.js';
import { requireComplete, type PushReport } from '../../account/push-account.js';
import { sleep } from '../../async/sleep.js';
import { FindingsError, InterruptedError } from '../../errors.js';
import { knownCredentials } from '../../fleet-client/from-home.js';
import { auditKeyRemoval } from '../../fleet-client/key-removals.js';
import { signedBy, type SignedBy, type SignedPeel } from '../../fleet-client/signed-by.js';
import { KEY_SWITCH_WAIT_MS } from '../../timing.js';
import { signingKeyOf } from '../../trust/create/adopt.js';
import { KeyRemoval } from '../../trust/keys/key-removal.js';
import type { PeelKeyRotation } from '../../trust/settings.js';
import type { ContextOf } from '../command/context.js';
import { pushedLine } from '../options/change-options.js';
import { count } from '../terminal/columns.js';
import { confirm } from '../terminal/confirm.js';
import type { InterruptSignal } from '../terminal/io.js';
import { timeWordsAndDate } from '../terminal/time-words.js';
import { renewPeels } from './renew-peels.js';

/** The options of `zester keys rotate peel-signing`. */
export interface RotatePeelSigningOptions {
  limit: number;
  /** Milliseconds, for each peel. */
  timeout: number;
  now: boolean;
  dryRun: boolean;
  yes: boolean;
}

type Context = ContextOf<'operator'>;

/** @throws FindingsError when peels remain; InterruptedError; NatsServerError when a server did not confirm */
export async function rotatePeelSigning(how: RotatePeelSigningOptions, context: Context): Promise<void> {
  const { io, output, openHome } = context;
  const { publicKeys, settings } = await openHome();
  const begun = settings.peelKeyRotation;
  const before = await readDependents(begun?.from ?? publicKeys.peelSigning, context);
  if (how.dryRun) return printPlan(begun?.from ?? publicKeys.peelSigning, begun, before, context);
  const admin = await context.fleet();
  // do not start what no master would finish
  await admin.client.ask('status', {});
  await confirm(io, question(before, how.now), how.yes);
  const signal = context.interruption();
  const { home, ...options } = await context.system();
  const rotation = await switchPeelSigningKey(home, options);
  const { from, to, startedAt } = rotation;
  output.note(
    begun === undefined
      ? `${to} signs peels from now on`
      : `resuming the rotation of ${startedAt}: ${to} signs peels`,
  );
  const last = await renewAll(from, how, context);
  const { peels } = last;
  if (signal.aborted)
    throw new InterruptedError(
      signal.reason as InterruptSignal,
      `interrupted: ${to} signs peels, and ${from} is still valid; run the same command again to resume`,
    );
  if (peels.length > 0 && !how.now) {
    printOutcome(
      { rotation, renewed: before.peels.length - peels.length, left: peels, cut: undefined },
      context,
    );
    throw new FindingsError(remainWords(peels, rotation, io.now()));
  }
  await removeOld({ rotation, before, last, now: how.now }, context);
}

/** Retries peels that a master re-signed with the old key before it loaded the new one. */
const MAX_ROUNDS = 3;

/** Makes peels rotate their keys. @returns the remaining dependents of the old key */
async function renewAll(from: string, how: RotatePeelSigningOptions, context: Context): Promise<SignedBy> {
  const admin = await context.fleet();
  const signal = context.interruption();
  const awaited = async () =>
    (await readDependents(from, context)).peels.map((peel) => ({
      ...peel,
      isAwaited: peel.is === 'replaced',
    }));
  for (let round = 1; !signal.aborted && round <= MAX_ROUNDS; round += 1) {
    await sleep(KEY_SWITCH_WAIT_MS, signal).catch(() => undefined);
    const { left, done } = await renewPeels(admin, how, context, awaited);
    if (!left.some(({ peelId, is }) => is === 'connected' && done.has(peelId))) break;
  }
  return readDependents(from, context);
}

/** Removes the old key, audits it, and ends the rotation. Resumes an interrupted call. */
async function removeOld(
  {
    rotation,
    before,
    last,
    now,
  }: { rotation: PeelKeyRotation; before: SignedBy; last: SignedBy; now: boolean },
  context: Context,
): Promise<void> {
  const { output, openHome } = context;
  const { from, to } = rotation;
  const { home, ...options } = await context.system();
  const use = {
    valid: last.peels.length,
    connected: last.peels.filter(({ is }) => is === 'connected').length + last.strangers.length,
  };
  const removal = KeyRemoval.judge(home, new Map([[from, use]]), { force: now });
  const { report } = await removeAccountSigningKey(home, from, removal, options);
  const renewed = before.peels.length - last.peels.length;
  printOutcome({ rotation, renewed, left: [], cut: { ...last, report } }, context);
  if (report !== undefined) requireComplete(report, 'the account without the old key');
  const isAudited = await auditKeyRemoval(await openHome(), removal, options, 'zester keys rotate');
  if (!isAudited) output.note('not audited: no master has run on these servers yet');
  await endPeelKeyRotation(home, to, options);
}

/** The dependents of the key; none once the account no longer has it. */
async function readDependents(from: string, { io, openHome, system }: Context): Promise<SignedBy> {
  const domain = await openHome();
  if (signingKeyOf(domain.accountClaims, from) === undefined) return { peels: [], strangers: [] };
  const options = await system();
  return signedBy(from, await knownCredentials(domain, options, options.systemCreds), io.now());
}

interface Outcome {
  rotation: PeelKeyRotation;
  renewed: number;
  left: readonly SignedPeel[];
  /** undefined: the old key was not removed. */
  cut: (SignedBy & { report: PushReport | undefined }) | undefined;
}

function printOutcome({ rotation, renewed, left, cut }: Outcome, { io, output }: Context): void {
  const { from, to } = rotation;
  const now = io.now();
  output.result(
    [
      ...(renewed > 0 ? [`${count(renewed, 'peel')} got a new key`] : []),
      ...left.map((peel) => `not renewed: ${peelWords(peel, now)}`),
      ...(cut === undefined
        ? [`${from} stays valid`]
        : [
            `removed ${from}; ${pushedLine(cut.report)}`,
            ...cut.peels.map((peel) => `cut off: ${peelWords(peel, now)}`),
            ...strangerLines(cut),
          ]),
    ],
    {
      kind: 'peel-signing',
      from,
      to,
      renewed,
      removed: cut !== undefined,
      left: left.map(peelDocument),
      cut: (cut?.peels ?? []).map(peelDocument),
      strangers: cut?.strangers ?? [],
      servers: cut?.report ?? null,
    },
  );
}

function printPlan(
  from: string,
  begun: PeelKeyRotation | undefined,
  { peels, strangers }: SignedBy,
  { io, output }: Context,
): void {
  const offline = peels.filter(({ is }) => is === 'offline');
  output.result(
    [
      begun === undefined ? `would replace ${from}` : `would resume the rotation of ${begun.startedAt}`,
      `${count(peels.length, 'peel')} would get a new key, ${offline.length} of them not connected`,
      ...offline.map((peel) => `not connected: ${peelWords(peel, io.now())}`),
      ...strangerLines({ strangers }),
    ],
    {
      kind: 'peel-signing',
      from,
      to: begun?.to ?? null,
      resumed: begun !== undefined,
      peels: peels.map(peelDocument),
      strangers,
    },
  );
}

function strangerLines({ strangers }: Pick<SignedBy, 'strangers'>): string[] {
  return strangers.map(
    ({ name, publicKey }) => `connected, but accepted by no master: "${name}" (${publicKey})`,
  );
}

function peelDocument({ peelId, is, expiresAt }: SignedPeel): object {
  return {
    id: peelId,
    state: is,
    expiresAt: expiresAt === undefined ? null : new Date(expiresAt * 1000).toISOString(),
  };
}

function peelWords({ peelId, expiresAt }: SignedPeel, now: number): string {
  const expiry =
    expiresAt === undefined ? 'never expires' : `expires ${timeWordsAndDate(expiresAt * 1000, now)}`;
  return `${peelId}, whose credential ${expiry}`;
}

function question({ peels }: SignedBy, now: boolean): string {
  const what = `this replaces the peel signing key, and gives ${count(peels.length, 'peel')} a new key`;
  return now ? `${what}; peels that do not renew are cut off` : what;
}

function remainWords(
  peels: readonly SignedPeel[],
  { from, startedAt }: PeelKeyRotation,
  now: number,
): string {
  const offline = peels.filter(({ is }) => is === 'offline').length;
  const since = Date.parse(startedAt) / 1000 + (2 * KEY_SWITCH_WAIT_MS) / 1000;
  const isCopied = peels.some(({ issuedAt }) => issuedAt > since);
  const latest = peels.every(({ expiresAt }) => expiresAt !== undefined)
    ? peels.reduce((last, { expiresAt = 0 }) => Math.max(last, expiresAt), -Infinity)
    : undefined;
  return (
    `${count(peels.length, 'peel')} still ${peels.length === 1 ? 'depends' : 'depend'} on ${from}, ${offline} not connected: it stays valid. ` +
    (isCopied
      ? 'Some were signed after the switch: another master has a copy of this home; copy the home to its host again. '
      : '') +
    'Run this again once they are connected' +
    (latest === undefined
      ? ''
      : `, or after the last one expires (${timeWordsAndDate(latest * 1000, now)})`) +
    ', or pass --now to cut them off'
  );
}
