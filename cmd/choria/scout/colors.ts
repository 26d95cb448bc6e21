import type { Paint, PaintStyle } from "../../../lib/cli/mod.ts";

const styles: Readonly<Record<string, PaintStyle>> = {
  OK: "green",
  WARNING: "yellow",
  CRITICAL: "red",
  UNKNOWN: "magenta",
  MAINTENANCE: "cyan",
};

/** The colour of a check's state; none for states that are not a check's. */
export function stateStyle(state: string): PaintStyle | undefined {
  return Object.hasOwn(styles, state) ? styles[state] : undefined;
}

/** A state in its colour, or another text in the colour of a state. */
export function paintState(state: string, paint: Paint, text = state): string {
  const style = stateStyle(state);
  return style === undefined ? text : paint[style](text);
}
