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
  // Loaded by those who draw a table: most runs of the command line do not.
  const Table: typeof CliTable = require("cli-table3");
  const table = new Table({ chars: rounded, style: { head: [], border: [] } });
  if (title !== undefined) table.push([{ content: title, colSpan: head.length, hAlign: "center" }]);
  table.push(
    head.map((content) => ({ content })),
    ...rows.map(toCells),
    ...(footer === undefined ? [] : [toCells(footer)]),
  );
  return withoutInnerLines(table.toString().split("\n"), title === undefined ? 1 : 2, footer !== undefined).join("\n");
}

/** The library draws a line between any two rows; those between rows that belong together are left out. */
function withoutInnerLines(lines: readonly string[], above: number, hasFooter: boolean): string[] {
  const last = hasFooter ? lines.findLastIndex(isRule) : -1;
  let rules = 0;
  return lines.filter((line, at) => !isRule(line) || ++rules <= above || at === last);
}

/** Lines with content begin with another sign. */
function isRule(line: string): boolean {
  return line.startsWith(rounded["left-mid"]);
}

type Cell = { content: string; hAlign?: "left" | "right" };

function toCells(row: readonly (string | number)[]): Cell[] {
  return row.map((value) => ({ content: String(value), hAlign: typeof value === "number" ? "right" : "left" }));
}
