import type { Manifest } from "./manifest.ts";

/** Every state of a machine, sorted: its initial one and those that transitions leave or reach. */
export function statesOf({ initialState, transitions }: Pick<Manifest, "initialState" | "transitions">): string[] {
  return [...new Set([initialState, ...transitions.flatMap(({ from, destination }) => [...from, destination])])].sort();
}
