/** Which of the nodes are taken. */
export interface LimitOptions {
  /** A number of nodes, or a share of them such as `10%`. */
  limit: string;
  /** @default "first" */
  method?: "first" | "random";
  /** Makes the random choice the same each time; 0 does not. */
  seed?: number;
}

/**
 * The nodes that a limit leaves; a limit above their number leaves all.
 *
 * @throws {Error} in the words that users match on when the limit cannot be read or leaves none.
 */
export function limitTargets(nodes: readonly string[], options: LimitOptions): string[] {
  const { limit, method = "first", seed = 0 } = options;
  const count = countOf(limit, nodes.length);
  if (count <= 0) throw new Error(`no targets left after applying target limits of '${limit}'`);
  const ordered = method === "random" ? shuffled(nodes, seed > 0 ? seeded(seed) : Math.random) : nodes;
  return ordered.slice(0, count);
}

/** Nodes in groups of at most `size`, in their order; one group where there is no size. */
export function batchesOf(nodes: readonly string[], size: number): string[][] {
  if (size <= 0) return nodes.length === 0 ? [] : [[...nodes]];
  return Array.from({ length: Math.ceil(nodes.length / size) }, (_, i) => nodes.slice(i * size, (i + 1) * size));
}

function countOf(limit: string, total: number): number {
  const [, number, percent] = /^([+-]?\d+)(%?)$/.exec(limit.trim()) ?? [];
  if (number === undefined) throw new Error("could not parse limit as either number or percent");
  return percent === "%" ? Math.trunc((total * Number(number)) / 100) : Number(number);
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const rest = [...items];
  for (let i = rest.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [rest[i], rest[j]];
    if (a !== undefined && b !== undefined) [rest[i], rest[j]] = [b, a];
  }
  return rest;
}

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
