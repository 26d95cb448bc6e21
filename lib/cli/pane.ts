import type { Paint } from "./paint.ts";
import { fitLine, type Line, textWidth } from "./spans.ts";

/** A frame with a title and lines in it. */
export interface Pane {
  /** Stands in the upper border. */
  title: string;
  /** Stands at the right of the upper border, as a count. */
  note?: string;
  lines: readonly Line[];
  /** Whether the keys are this pane's: its border is bright. */
  isFocused?: boolean;
}

/** Draw a pane of exactly this size; lines that do not fit below are left out. */
export function drawPane(pane: Pane, { columns, rows }: { columns: number; rows: number }, paint: Paint): string[] {
  if (rows < 2 || columns < 4) return Array.from({ length: Math.max(0, rows) }, () => " ".repeat(columns));
  const style = pane.isFocused ? "bold" : "dim";
  const inner = columns - 2;
  const side = paint[style]("│");
  const body = Array.from({ length: rows - 2 }, (_, row) => side + fitLine(pane.lines[row] ?? "", inner, paint) + side);
  const { title, note = "" } = pane;
  const end = note === "" || textWidth(title) + textWidth(note) + 8 > inner ? "" : ` ${note} ─`;
  const begin = `─ ${title} `;
  const rule = "─".repeat(Math.max(0, inner - textWidth(begin) - textWidth(end)));
  const top = fitLine([{ text: `╭${begin}${rule}${end}`, style }], columns - 1, paint) + paint[style]("╮");
  return [top, ...body, paint[style](`╰${"─".repeat(inner)}╯`)];
}
