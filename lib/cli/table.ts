import type CliTable from "cli-table3";

/** A table with rounded corners. */
export interface TableContent {
  /** Stands centred above the headings. */
  title?: string;
  head: readonly string[];
  /** Texts are set to the left, numbers to the right. */
  rows: readonly (readonly (string | number)[])[];
  /** A last row below a line of its own. */
  footer?: readonly (string | number)[];
}

const rounded = {
  top: "─",
  "top-mid": "┬",
  "top-left": "╭",
  "top-right": "╮",
  bottom: "─",
  "bottom-mid": "┴",
  "bottom-left": "╰",
  "bottom-right": "╯",
  left: "│",
  "left-mid": "├",
  mid: "─",
  "mid-mid": "┼",
  right: "│",
  "right-mid": "┤",
  middle: "│",
};

/** Draw a table, without a newline at its end. */
export function formatTable({ title, head, rows, footer }: TableContent): string {
  const body = joined(rows.map(toCells));
  const sections = [[head.map((content) => ({ content }))], body, footer === undefined ? [] : [toCells(footer)]];
  // Loaded by those who draw a table: most runs of the command line do not.
  const Table: typeof CliTable = require("cli-table3");
  const table = new Table({ chars: rounded, style: { head: [], border: [] } });
  if (title !== undefined) table.push([{ content: title, colSpan: head.length, hAlign: "center" }]);
  for (const section of sections) table.push(...section);
  return table.toString();
}

type Cell = { content: string; hAlign?: "left" | "right" };

function toCells(row: readonly (string | number)[]): Cell[] {
  return row.map((value) => ({ content: String(value), hAlign: typeof value === "number" ? "right" : "left" }));
}

/** The library draws a line between any two rows, so rows that belong together become one of many lines. */
function joined(rows: readonly Cell[][]): Cell[][] {
  const [first] = rows;
  if (first === undefined) return [];
  const heights = rows.map((row) => Math.max(1, ...row.map(({ content }) => content.split("\n").length)));
  const column = (at: number) => rows.flatMap((row, i) => padLines(row[at]?.content ?? "", heights[i] ?? 1)).join("\n");
  return [first.map((cell, at) => ({ ...cell, content: column(at) }))];
}

function padLines(text: string, height: number): string[] {
  const lines = text.split("\n");
  return [...lines, ...Array.from({ length: height - lines.length }, () => "")];
}
