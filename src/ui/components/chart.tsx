// Charts: a line over time, and bars, as SVG.
import { timeWords } from '../times.js';

type Point = readonly [at: number, value: number];

const WIDTH = 480;
const HEIGHT = 140;
const LEFT = 40;
const BOTTOM = 20;

/** A chart with its title, and its last value as text. */
export function Chart({
  title,
  points,
  kind,
  now,
  none,
}: {
  title: string;
  points: readonly Point[];
  kind: 'line' | 'bars';
  now: number;
  /** The text when there is no data. */
  none: string;
}) {
  const last = points.at(-1);
  const most = points.reduce((top, [, value]) => Math.max(top, value), 0);
  if (last === undefined || most === 0) {
    return (
      <figure class="chart">
        <figcaption>{title}</figcaption>
        <p class="quiet">{none}</p>
      </figure>
    );
  }
  const words =
    kind === 'line'
      ? `${title}: ${last[1]} now, at most ${most}`
      : `${title}: ${points.reduce((sum, [, value]) => sum + value, 0)} in all, at most ${most} in one bar`;
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words}>
        <Axes points={points} most={most} now={now} />
        {kind === 'line' ? <Line points={points} most={most} /> : <Bars points={points} most={most} />}
      </svg>
    </figure>
  );
}

function placeX(points: readonly Point[], at: number): number {
  const [first, last] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  return LEFT + ((at - first) / Math.max(1, last - first)) * (WIDTH - LEFT - 8);
}

function placeY(most: number, value: number): number {
  return 8 + (1 - value / most) * (HEIGHT - BOTTOM - 8);
}

function Axes({ points, most, now }: { points: readonly Point[]; most: number; now: number }) {
  const ends = [points[0], points.at(-1)];
  return (
    <g class="axes" aria-hidden="true">
      {[0, most].map((value) => (
        <g key={value}>
          <line x1={LEFT} x2={WIDTH - 8} y1={placeY(most, value)} y2={placeY(most, value)} />
          <text x={LEFT - 6} y={placeY(most, value) + 4} text-anchor="end">
            {value}
          </text>
        </g>
      ))}
      {ends.map((point, i) => (
        <text key={i} x={i === 0 ? LEFT : WIDTH - 8} y={HEIGHT - 4} text-anchor={i === 0 ? 'start' : 'end'}>
          {point === undefined ? '' : timeWords(new Date(point[0]).toISOString(), now)}
        </text>
      ))}
    </g>
  );
}

function Line({ points, most }: { points: readonly Point[]; most: number }) {
  const path = points.map(
    ([at, value]) => `${placeX(points, at).toFixed(1)},${placeY(most, value).toFixed(1)}`,
  );
  return <polyline class="line" points={path.join(' ')} />;
}

function Bars({ points, most }: { points: readonly Point[]; most: number }) {
  const width = (WIDTH - LEFT - 8) / points.length;
  return (
    <g class="bars">
      {points.map(([at, value], i) => (
        <rect
          key={at}
          x={LEFT + i * width + 1}
          y={placeY(most, value)}
          width={Math.max(1, width - 2)}
          height={placeY(most, 0) - placeY(most, value)}
        />
      ))}
    </g>
  );
}
