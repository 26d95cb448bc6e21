import { harmlessText } from "./harmless.ts";
import type { Paint, PaintStyle } from "./paint.ts";

/** A piece of a line, in one colour. */
export interface Span {
  readonly text: string;
  /** @default as it is */
  readonly style?: PaintStyle;
}

/** A line: spans, or a text that is one. */
export type Line = string | readonly Span[];

/** How many columns a text takes on a terminal. */
export function textWidth(text: string): number {
  return Bun.stringWidth(text);
}

/** A text cut to as many columns as it may take, with `…` where something is missing. Wide characters are not halved. */
export function cutText(text: string, width: number): string {
  if (width <= 0) return "";
  if (textWidth(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const next = textWidth(segment);
    if (used + next > width - 1) break;
    kept += segment;
    used += next;
  }
  return `${kept}…`;
}

const graphemes = new Intl.Segmenter();

/** A line that takes exactly `width` columns: cut, or filled up with spaces; control characters become `\ufffd`. */
export function fitLine(line: Line, width: number, paint: Paint): string {
  let left = width;
  let drawn = "";
  for (const { text, style } of typeof line === "string" ? [{ text: line, style: undefined }] : line) {
    // Lists of spans come from everywhere; what would end the line or move the cursor must not get through.
    const clean = harmlessText(text.replace(/\s/g, " ")).replaceAll("\u{1b}", "\ufffd");
    const cut = cutText(clean, left);
    drawn += style === undefined || cut === "" ? cut : paint[style](cut);
    left -= textWidth(cut);
  }
  return drawn + " ".repeat(Math.max(0, left));
}
