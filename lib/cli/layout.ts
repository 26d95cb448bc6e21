/** Put `indent` before every line of a text that is not empty. */
export function indentLines(text: string, indent: string): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? line : indent + line))
    .join("\n");
}

/**
 * Labels aligned at their colons, each value after its own; further lines of a value stand below its first.
 *
 * @param width Columns up to the colon; by default the longest label and `margin`.
 */
export function labelledLines(
  rows: readonly (readonly [label: string, value: string])[],
  { margin = 3, width }: { margin?: number; width?: number } = {},
): string[] {
  const colon = width ?? Math.max(0, ...rows.map(([label]) => label.length)) + margin;
  return rows.map(([label, value]) => {
    const [first = "", ...more] = value.split("\n");
    const head = `${label.padStart(colon)}: ${first}`;
    return [head, ...more.map((line) => " ".repeat(colon + 2) + line)].join("\n");
  });
}

/** Items in columns, row by row, aligned with `gap` spaces between them. */
export function inColumns(
  items: readonly string[],
  { columns = 3, indent = 4, gap = 4 }: { columns?: number; indent?: number; gap?: number } = {},
): string[] {
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...items.filter((_item, i) => i % columns === column).map((item) => item.length)),
  );
  const rows = Array.from({ length: Math.ceil(items.length / columns) }, (_, row) =>
    items.slice(row * columns, (row + 1) * columns),
  );
  return rows.map(
    (row) =>
      " ".repeat(indent) +
      row
        .map((item, i) => item.padEnd((widths[i] ?? 0) + gap))
        .join("")
        .trimEnd(),
  );
}
