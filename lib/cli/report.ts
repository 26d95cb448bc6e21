/** A line of a {@link ReportSection}. */
export type ReportRow = readonly [label: string, value: string];

/** Lines that belong together, below a heading of their own. */
export interface ReportSection {
  heading?: string;
  rows: readonly ReportRow[];
}

/**
 * A report whose labels are aligned at their colons throughout: a title, and below it sections with a blank line around
 * each. Sections without lines are left out. Ends with a newline.
 */
export function formatReport(title: string, sections: readonly ReportSection[]): string {
  const shown = sections.filter(({ rows }) => rows.length > 0);
  const width = Math.max(0, ...shown.flatMap(({ rows }) => rows.map(([label]) => label.length))) + 2;
  const blocks = shown.flatMap(({ heading, rows }) => {
    const lines = rows.map(([label, value]) => `${label.padStart(width)}: ${value}`).join("\n");
    return heading === undefined ? [lines] : [`${heading}:`, lines];
  });
  return `${[title, ...blocks].filter((block) => block !== "").join("\n\n")}\n`;
}
