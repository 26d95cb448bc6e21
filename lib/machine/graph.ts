import type { Manifest } from "./manifest.ts";
import { statesOf } from "./states.ts";

/** A way from one state to another. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly event: string;
}

/** Every way from state to state, sorted by where it begins, then by its name. */
export function edgesOf({ transitions }: Pick<Manifest, "transitions">): GraphEdge[] {
  const edges = new Map<string, GraphEdge>();
  for (const { name: event, from: sources, destination: to } of transitions) {
    for (const from of sources) edges.set(JSON.stringify([from, event]), { from, to, event });
  }
  return [...edges.values()].sort((a, b) => compare(a.from, b.from) || compare(a.event, b.event));
}

/** A machine as a graph in the language of Graphviz; the initial state is red. */
export function machineDot(manifest: Pick<Manifest, "initialState" | "transitions">): string {
  const edges = edgesOf(manifest).map(({ from, to, event }) => {
    return `    ${quoted(from)} -> ${quoted(to)} [ label = ${quoted(event)} ];\n`;
  });
  const states = statesOf(manifest).map((state) => {
    return `    ${quoted(state)}${state === manifest.initialState ? ' [color = "red"]' : ""};\n`;
  });
  return `digraph fsm {\n${edges.join("")}\n${states.join("")}}\n`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
