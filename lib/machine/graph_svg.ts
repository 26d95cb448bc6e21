import { edgesOf } from "./graph.ts";
import type { Manifest } from "./manifest.ts";
import { statesOf } from "./states.ts";

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A rectangle around its middle. */
interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

interface Node extends Box {
  readonly name: string;
}

/** All ways from one state to another, drawn as one arrow. */
interface Arrow {
  readonly from: Node;
  readonly to: Node;
  readonly events: readonly string[];
  /** Which of the colours it has: that of its transition, the first where there are several. */
  readonly color: number;
}

const nodeHeight = 36;
const letterWidth = 8.2;
const labelLetter = 6.6;
const labelLine = 14;
const margin = 70;
/** Colours of transitions, to be followed where arrows cross. The first is for arrows of several transitions. */
const colors = ["#52667a", "#2f6f9f", "#2e8b57", "#b7791f", "#b83b5e", "#6b4fa0", "#0f8b8d", "#8a5a44", "#5b7f1f"];

/**
 * A machine as a picture: its states on a ring, the initial one on top with a dot before it, and an arrow with the
 * names of the transitions from each state to each that it leads to.
 */
export function machineSvg(manifest: Pick<Manifest, "name" | "initialState" | "transitions">): string {
  const nodes = place(manifest);
  const arrows = arrowsOf(manifest, nodes);
  const labels = new Labels([...nodes.values()]);
  const middle = centreOf([...nodes.values()]);
  const drawn = arrows.map((arrow) => drawArrow(arrow, labels, middle));
  const boxes = [...nodes.values()].map((node) => drawNode(node, node.name === manifest.initialState));
  const { x, y, width, height } = labels.bounds();
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${numbers(x, y, width, height)}" width="${Math.round(width)}" height="${Math.round(height)}" role="img">
<title>${escaped(manifest.name)}</title>
<style>
text { font: 13px ui-sans-serif, system-ui, sans-serif; text-anchor: middle }
.event { font-size: 11px; paint-order: stroke; stroke: #fff; stroke-width: 4px; stroke-linejoin: round }
.state { fill: #f5f7fa; stroke: #52667a; stroke-width: 1.5 }
.initial { stroke: #c0392b; stroke-width: 2.5 }
.way { fill: none; stroke-width: 1.4 }
</style>
<defs>${colors.map(drawHead).join("")}</defs>
<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" fill="#fff"/>
${drawn.map(({ path }) => path).join("\n")}
${boxes.join("\n")}
${drawn.map(({ label }) => label).join("\n")}
</svg>
`;
}

/** States on an ellipse, those that lead to each other side by side as far as that goes. */
function place(manifest: Pick<Manifest, "initialState" | "transitions">): Map<string, Node> {
  const order = ringOrder(manifest);
  const widest = Math.max(...order.map(widthOf));
  const crowd = Math.max(1, edgesOf(manifest).length / (order.length * 3));
  const around = order.length * (widest + 60) * Math.min(crowd, 2);
  const rx = order.length === 1 ? 0 : Math.max(widest * 1.1, around / 5);
  const ry = order.length === 1 ? 0 : Math.max(110, around / 6.5);
  return new Map(
    order.map((name, at) => {
      const angle = -Math.PI / 2 + (2 * Math.PI * at) / order.length;
      const node = { name, x: rx * Math.cos(angle), y: ry * Math.sin(angle), width: widthOf(name), height: nodeHeight };
      return [name, node] as const;
    }),
  );
}

function widthOf(name: string): number {
  return Math.max(64, name.length * letterWidth + 24);
}

/** From the initial state always on to one that the last leads to, where there is one left. */
function ringOrder(manifest: Pick<Manifest, "initialState" | "transitions">): string[] {
  const left = new Set(statesOf(manifest));
  const edges = edgesOf(manifest);
  const order: string[] = [];
  for (let next: string | undefined = manifest.initialState; next !== undefined; ) {
    const current: string = next;
    order.push(current);
    left.delete(current);
    next = edges.find(({ from, to }) => from === current && left.has(to))?.to ?? left.values().next().value;
  }
  return order;
}

function arrowsOf(manifest: Pick<Manifest, "transitions">, nodes: ReadonlyMap<string, Node>): Arrow[] {
  const byWay = new Map<string, { from: Node; to: Node; events: string[] }>();
  for (const { from, to, event } of edgesOf(manifest)) {
    const [source, target] = [nodes.get(from), nodes.get(to)];
    if (source === undefined || target === undefined) continue;
    const key = JSON.stringify([from, to]);
    const way = byWay.get(key) ?? { from: source, to: target, events: [] };
    way.events.push(event);
    byWay.set(key, way);
  }
  const names = [...new Set(manifest.transitions.map(({ name }) => name))];
  const colorOf = (event = "") => 1 + (names.indexOf(event) % (colors.length - 1));
  return [...byWay.values()].map((way) => ({ ...way, color: way.events.length > 1 ? 0 : colorOf(way.events[0]) }));
}

interface Drawn {
  readonly path: string;
  readonly label: string;
}

function drawArrow(arrow: Arrow, labels: Labels, middle: Point): Drawn {
  return arrow.from === arrow.to ? drawLoop(arrow, labels, middle) : drawWay(arrow, labels);
}

function drawHead(color: string, index: number): string {
  const box = `viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"`;
  return `<marker id="head${index}" ${box}><path d="M0 0L10 5L0 10z" fill="${color}"/></marker>`;
}

function stroke(color: number): string {
  return `class="way" stroke="${colors[color]}" marker-end="url(#head${color})"`;
}

/** A curve that bends to its right, so that the way back is another one. */
function drawWay({ from, to, events, color }: Arrow, labels: Labels): Drawn {
  const distance = Math.hypot(to.x - from.x, to.y - from.y);
  const bend = Math.min(48, 18 + distance * 0.1);
  const control = {
    x: (from.x + to.x) / 2 - ((to.y - from.y) / distance) * bend,
    y: (from.y + to.y) / 2 + ((to.x - from.x) / distance) * bend,
  };
  const at = (t: number) => curve(from, control, to, t);
  const start = leave(at, from, 0, 1);
  const end = leave(at, to, 1, -1);
  const [a, b] = [at(start), at(end)];
  // The part of the curve between the boxes is a curve of its own.
  const between = split(from, control, to, start, end);
  const place = labels.place(
    events,
    [0.5, 0.38, 0.62, 0.28, 0.72].map((t) => at(start + (end - start) * t)),
  );
  return {
    path: `<path ${stroke(color)} d="M${numbers(a.x, a.y)} Q${numbers(between.x, between.y, b.x, b.y)}"/>`,
    label: drawLabel(events, place, color),
  };
}

/** A loop on the side of a state that faces away from all others. */
function drawLoop({ from, events, color }: Arrow, labels: Labels, middle: Point): Drawn {
  const up = from.y <= middle.y ? -1 : 1;
  const [y, reach] = [from.y + (up * from.height) / 2, from.y + up * (from.height / 2 + 38)];
  const [x1, x2] = [from.x + 12, from.x + 36];
  const place = labels.place(
    events,
    [10, 24, 40].map((gap) => ({ x: from.x + 24, y: reach + up * (gap - 16) })),
  );
  return {
    path: `<path ${stroke(color)} d="M${numbers(x1, y)} C${numbers(x1 - 6, reach, x2 + 6, reach, x2, y)}"/>`,
    label: drawLabel(events, place, color),
  };
}

function drawNode({ name, x, y, width, height }: Node, isInitial: boolean): string {
  const box = `x="${n(x - width / 2)}" y="${n(y - height / 2)}" width="${n(width)}" height="${n(height)}" rx="9"`;
  const mark = isInitial ? `\n<circle cx="${n(x - width / 2 - 12)}" cy="${n(y)}" r="5" fill="#c0392b"/>` : "";
  const text = `<text fill="#1f2933" x="${n(x)}" y="${n(y + 4.5)}">${escaped(name)}</text>`;
  return `<rect class="state${isInitial ? " initial" : ""}" ${box}/>${text}${mark}`;
}

function drawLabel(events: readonly string[], { x, y }: Point, color: number): string {
  const top = y - ((events.length - 1) * labelLine) / 2 + 4;
  return events
    .map(
      (event, line) =>
        `<text class="event" fill="${colors[color]}" x="${n(x)}" y="${n(top + line * labelLine)}">${escaped(event)}</text>`,
    )
    .join("");
}

/** Finds room for labels: of the places that are offered the one that covers least of what is there. */
class Labels {
  readonly #taken: Box[];

  constructor(nodes: readonly Box[]) {
    this.#taken = [...nodes];
  }

  place(events: readonly string[], offers: readonly Point[]): Point {
    const width = Math.max(...events.map((event) => event.length)) * labelLetter + 6;
    const height = events.length * labelLine;
    const boxes = offers.map(({ x, y }) => ({ x, y, width, height }));
    const costs = boxes.map((box) => this.#taken.reduce((sum, other) => sum + overlap(box, other), 0));
    const best = boxes[costs.indexOf(Math.min(...costs))] ?? { x: 0, y: 0, width, height };
    this.#taken.push(best);
    return best;
  }

  /** What is drawn, with a margin. */
  bounds(): Box {
    const left = Math.min(...this.#taken.map(({ x, width }) => x - width / 2)) - margin / 2;
    const right = Math.max(...this.#taken.map(({ x, width }) => x + width / 2)) + margin / 2;
    const top = Math.min(...this.#taken.map(({ y, height }) => y - height / 2)) - margin / 2;
    const bottom = Math.max(...this.#taken.map(({ y, height }) => y + height / 2)) + margin / 2;
    return { x: left, y: top, width: right - left, height: bottom - top };
  }
}

function overlap(a: Box, b: Box): number {
  const x = Math.min(a.x + a.width / 2, b.x + b.width / 2) - Math.max(a.x - a.width / 2, b.x - b.width / 2);
  const y = Math.min(a.y + a.height / 2, b.y + b.height / 2) - Math.max(a.y - a.height / 2, b.y - b.height / 2);
  return x > 0 && y > 0 ? x * y : 0;
}

function curve(a: Point, b: Point, c: Point, t: number): Point {
  const [p, q, r] = [(1 - t) ** 2, 2 * t * (1 - t), t ** 2];
  return { x: p * a.x + q * b.x + r * c.x, y: p * a.y + q * b.y + r * c.y };
}

/** The control point of the part of a curve from `start` to `end`. */
function split(a: Point, b: Point, c: Point, start: number, end: number): Point {
  const weights = [(1 - start) * (1 - end), start * (1 - end) + end * (1 - start), start * end] as const;
  return {
    x: weights[0] * a.x + weights[1] * b.x + weights[2] * c.x,
    y: weights[0] * a.y + weights[1] * b.y + weights[2] * c.y,
  };
}

/** Where a curve leaves a box, going from one of its ends. */
function leave(at: (t: number) => Point, box: Box, from: number, direction: 1 | -1): number {
  for (let step = 0; step <= 100; step++) {
    const t = from + (direction * step) / 100;
    const { x, y } = at(t);
    if (Math.abs(x - box.x) > box.width / 2 + 3 || Math.abs(y - box.y) > box.height / 2 + 3) return t;
  }
  return 0.5;
}

function centreOf(nodes: readonly Point[]): Point {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return { x: sum(nodes.map(({ x }) => x)) / nodes.length, y: sum(nodes.map(({ y }) => y)) / nodes.length };
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function numbers(...values: number[]): string {
  return values.map(n).join(" ");
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
