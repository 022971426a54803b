// The trust hierarchy as a diagram, with expiry times.
import { printable } from '../../text/printable.js';
import { Problem, Text, Time } from '../components/text.js';
import { timeWords } from '../times.js';
import { useAnswer, useNow } from '../use-store.js';

interface Node {
  kind: string;
  name: string;
  publicKey: string;
  parent: string | null;
  expiresAt: string | null;
  current: boolean;
}

interface Placed extends Node {
  x: number;
  y: number;
}

const BOX = { width: 210, height: 52, gapX: 46, gapY: 14 };

export function TrustView() {
  const now = useNow();
  const { data, error } = useAnswer<{ nodes: Node[] }>('/trust');
  return (
    <section>
      <h1>Trust hierarchy</h1>
      <p>
        Each key is trusted because the one to its left signed it or names it. Dashed keys no longer sign.
      </p>
      <Problem text={error} />
      {data !== undefined && (
        <>
          <Picture nodes={placed(data.nodes)} now={now} />
          <Table nodes={data.nodes} now={now} />
        </>
      )}
    </section>
  );
}

/** Lays out the nodes: columns by depth; each node in the first free line below its parent. */
function placed(nodes: readonly Node[]): Placed[] {
  const keys = new Set(nodes.map(({ publicKey }) => publicKey));
  const below = new Map<string | null, Node[]>();
  for (const node of nodes) {
    const parent =
      node.parent !== null && keys.has(node.parent) && node.parent !== node.publicKey ? node.parent : null;
    below.set(parent, [...(below.get(parent) ?? []), node]);
  }
  const result: Placed[] = [];
  const seen = new Set<string>();
  let line = 0;
  const visit = (node: Node, depth: number) => {
    if (seen.has(node.publicKey)) return;
    seen.add(node.publicKey);
    const first = line;
    result.push({ ...node, x: 4 + depth * (BOX.width + BOX.gapX), y: 4 + first * (BOX.height + BOX.gapY) });
    for (const child of below.get(node.publicKey) ?? []) visit(child, depth + 1);
    if (line === first) line += 1;
  };
  for (const root of below.get(null) ?? []) visit(root, 0);
  return result;
}

function Picture({ nodes, now }: { nodes: readonly Placed[]; now: number }) {
  const byKey = new Map(nodes.map((node) => [node.publicKey, node]));
  const width = Math.max(0, ...nodes.map(({ x }) => x)) + BOX.width + 4;
  const height = Math.max(0, ...nodes.map(({ y }) => y)) + BOX.height + 4;
  return (
    <div class="scroll picture" tabIndex={0} role="region" aria-label="picture of the trust hierarchy">
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={`${nodes.length} keys; the table below lists them`}
      >
        {nodes.map((node) => {
          const parent = byKey.get(node.parent ?? '');
          if (parent === undefined || parent === node) return null;
          const [fromX, fromY] = [parent.x + BOX.width, parent.y + BOX.height / 2];
          const [toX, toY] = [node.x, node.y + BOX.height / 2];
          const middle = fromX + BOX.gapX / 2;
          return <path key={node.publicKey} class="edge" d={`M${fromX} ${fromY}H${middle}V${toY}H${toX}`} />;
        })}
        {nodes.map((node) => (
          <g key={node.publicKey} transform={`translate(${node.x} ${node.y})`}>
            <rect
              class={`node ${toneOf(node, now)} ${node.current ? '' : 'former'}`}
              width={BOX.width}
              height={BOX.height}
              rx={6}
            />
            <text x={10} y={21} class="node-name">
              {printable(node.name).slice(0, 28)}
            </text>
            <text x={10} y={40} class="node-detail">
              {`${node.publicKey.slice(0, 8)}… ${node.expiresAt === null ? '' : `expires ${timeWords(node.expiresAt, now)}`}`}
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
}

/** A week, like doctor's warning. */
const SOON_MS = 7 * 86_400_000;

function toneOf({ expiresAt }: Node, now: number): string {
  if (expiresAt === null) return '';
  const left = Date.parse(expiresAt) - now;
  return left <= 0 ? 'bad' : left < SOON_MS ? 'warn' : '';
}

function Table({ nodes, now }: { nodes: readonly Node[]; now: number }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="keys of the trust hierarchy">
      <table>
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col">Name</th>
            <th scope="col">Public key</th>
            <th scope="col">Expires</th>
            <th scope="col">In use</th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((node) => (
            <tr key={node.publicKey}>
              <td>{printable(node.kind)}</td>
              <td>
                <Text of={node.name} />
              </td>
              <td>
                <code class="key">{printable(node.publicKey)}</code>
              </td>
              <td>
                <Time at={node.expiresAt} now={now} none="never" />
              </td>
              <td>{node.current ? 'yes' : 'no'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
