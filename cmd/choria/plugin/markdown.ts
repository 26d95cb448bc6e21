import type { AgentDdl, DataDdl, DdlAction } from "../../../lib/ddl/mod.ts";
import { inputRows, metadataRows, outputRows, titleOf } from "./page.ts";

/** What an agent can do, as a page of Markdown. */
export function agentMarkdown(ddl: AgentDdl): string {
  const { name, version, description } = ddl.metadata;
  const actions = ddl.actions.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return [
    `# ${titleOf(name)} Agent version ${version}`,
    escapeCell(description),
    table(["", ""], metadataRows(ddl)),
    "## Actions",
    actions.map((action) => `- [${action.name}](#${anchor(action)}): ${escapeCell(action.description)}`).join("\n"),
    ...actions.flatMap(actionParts),
  ]
    .map((part) => `${part}\n`)
    .join("\n");
}

/** What a data provider is asked and tells, as a page of Markdown. */
export function dataMarkdown({ name, description, query, output }: DataDdl): string {
  return [
    `# ${titleOf(name)} Data Provider`,
    escapeCell(description),
    ...(query === undefined ? [] : itemTable("Input", { query }, inputRows)),
    ...itemTable("Output", output, outputRows),
  ]
    .map((part) => `${part}\n`)
    .join("\n");
}

function actionParts(action: DdlAction): string[] {
  const { name, description, display, input, output } = action;
  const shown = { always: "all nodes", ok: "nodes that succeed", failed: "nodes that fail" }[display];
  return [
    `### ${name} action`,
    escapeCell(description),
    `Replies are shown of ${shown}.`,
    ...itemTable("Input", input, inputRows),
    ...itemTable("Output", output, outputRows),
  ];
}

function itemTable<T extends { description: string }>(
  head: string,
  items: Readonly<Record<string, T>>,
  rowsOf: (item: T) => readonly (readonly [label: string, value: string])[],
): string[] {
  const entries = Object.entries(items).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return [];
  const rows = entries.map(([name, item]) => {
    const facts = rowsOf(item).map(([label, value]) => `${label}: ${code(value)}`);
    return [code(name), `${escapeCell(item.description)}<br>${facts.join("<br>")}`] as const;
  });
  return [`#### ${head}s`, table([head, "Description"], rows, false)];
}

function table(head: readonly [string, string], rows: readonly (readonly [string, string])[], isPlain = true): string {
  const cell = isPlain ? escapeCell : (text: string) => text;
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), "| --- | --- |", ...rows.map((row) => line(row.map(cell)))].join("\n");
}

function anchor({ name }: DdlAction): string {
  return `${name}-action`;
}

function code(text: string): string {
  return text === "" ? "" : `\`${text.replaceAll("|", "\\|").replaceAll("`", "'").replaceAll("\n", " ")}\``;
}

function escapeCell(text: string): string {
  return text.replace(/[|<>]/g, (char) => `\\${char}`).replaceAll("\n", " ");
}
