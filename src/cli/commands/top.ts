// `zester top`: watch a fleet live.
import { InterruptedError } from '../../errors.js';
import { command } from '../command/declaration.js';
import { flag } from '../command/option.js';
import { widthOf } from '../terminal/columns.js';
import type { InterruptSignal } from '../terminal/io.js';
import { TOP_DRAW_MS } from '../../timing.js';

/** Why it ends when there is nothing to draw on any more. */
const LOST = new Error('the terminal was closed');

/** The size with `--once` and no terminal. */
const ONCE_SIZE = { columns: 120, rows: 40 };

export default command({
  summary: 'watch the fleet live: states, connections, expiries, events',
  section: 'Check',
  needs: 'fleet',
  options: { once: flag('--once', 'print once and exit (the default without a terminal, and with --json)') },
  notes: `
Press q or Ctrl-C to quit. Events appear as masters audit them; the counts are at most two seconds old.`,
  examples: ['zester top', 'zester top --once', 'zester top --json | jq .peels'],
  async run({ once }, { io, output, fleet, interruption }) {
    const [{ FollowedFleet }, { pictureOf }] = await Promise.all([
      import('../top/follow-fleet.js'),
      import('../top/picture.js'),
    ]);
    const admin = await fleet();
    const followed = await FollowedFleet.open(admin, io.now);
    if (once || output.json || io.screen === undefined) {
      const { status, expiring, events, renewalsPerSecond } = followed.view;
      const size = { columns: widthOf(io.stdout, ONCE_SIZE.columns), rows: ONCE_SIZE.rows };
      return output.result(pictureOf(followed.view, size, io.now()), {
        ...status,
        renewalsPerSecond,
        expiring,
        events,
      });
    }
    const ended = new AbortController();
    const interrupted = interruption();
    const signal = AbortSignal.any([ended.signal, interrupted]);
    let drawing: NodeJS.Timeout | undefined;
    const screen = await io.screen({
      key: (key) => {
        if (/^[qQ\u0003]/.test(key)) ended.abort();
      },
      resize: () => changed(),
      lost: () => ended.abort(LOST),
    });
    const draw = () => {
      drawing = undefined;
      screen.draw(pictureOf(followed.view, screen.size(), io.now()));
    };
    // throttled: redraws at most a few times a second
    const changed = () => void (drawing ??= setTimeout(draw, TOP_DRAW_MS));
    try {
      draw();
      await followed.follow(changed, signal);
    } finally {
      clearTimeout(drawing);
      screen.close();
    }
    if (signal.reason === LOST) throw new InterruptedError('SIGHUP', 'the terminal was closed');
    if (interrupted.aborted) throw new InterruptedError(interrupted.reason as InterruptSignal, 'interrupted');
  },
});
