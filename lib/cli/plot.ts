/** How {@link plotValues} draws. */
export interface PlotOptions {
  /** Rows. @default 15 */
  height?: number;
  /** Columns. @default 60 */
  width?: number;
  /** Stands centred below. */
  caption?: string;
}

const blocks = ["", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/**
 * Draw numbers as columns over their order, with a scale at the left.
 *
 * @returns lines without a newline at the end; empty when there are no numbers.
 */
export function plotValues(values: readonly number[], options: PlotOptions = {}): string {
  const { height = 15, width = 60, caption } = options;
  if (values.length === 0) return "";
  const points = stretch(values, width);
  const low = Math.min(0, ...points);
  const high = Math.max(...points, low + 1e-9);
  const labels = Array.from({ length: height }, (_, row) => scaleLabel(high - ((high - low) * row) / height));
  const margin = Math.max(...labels.map((label) => label.length)) + 1;
  const lines = labels.map((label, row) => {
    const floor = height - row - 1;
    const cells = points.map((value) => cell(((value - low) / (high - low)) * height - floor));
    return `${label.padStart(margin)} ┤${cells.join("")}`.trimEnd();
  });
  lines.push(`${scaleLabel(low).padStart(margin)} ┼${"─".repeat(points.length)}`);
  if (caption !== undefined) {
    const space = Math.max(0, Math.floor((points.length - caption.length) / 2));
    lines.push("", " ".repeat(margin + 2 + space) + caption);
  }
  return lines.join("\n");
}

function cell(level: number): string {
  if (level <= 0) return " ";
  return blocks[Math.min(8, Math.max(1, Math.round(level * 8)))] ?? " ";
}

/** Every value over as many columns as fill the width, or, of more values than columns, the largest of each group. */
function stretch(values: readonly number[], width: number): number[] {
  if (values.length <= width) {
    const each = Math.max(1, Math.floor(width / values.length));
    return values.flatMap((value) => Array.from({ length: each }, () => value));
  }
  return Array.from({ length: width }, (_, column) => {
    const from = Math.floor((column * values.length) / width);
    const to = Math.max(from + 1, Math.floor(((column + 1) * values.length) / width));
    return Math.max(...values.slice(from, to));
  });
}

function scaleLabel(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2);
}
