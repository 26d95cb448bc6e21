import { indentLines, type Paint } from "../../../lib/cli/mod.ts";
import { prettyJson } from "../../../lib/client/mod.ts";
import type { AgentDdl, DataDdl, DdlAction, DdlInput, DdlOutput } from "../../../lib/ddl/mod.ts";

type Row = readonly [label: string, value: string];

/** Column of the colons beside an input or output. */
const colon = 12;

/** What an agent can do, for people. */
export function agentPage(ddl: AgentDdl, paint: Paint): string {
  const { metadata } = ddl;
  const actions = ddl.actions.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const about = metadataRows(ddl).map(([label, value]) => `${`${label}: `.padStart(12)}${value}`.trimEnd());
  return [
    `${titleOf(metadata.name)} Agent version ${metadata.version}`,
    metadata.description,
    `Plugin Metadata:\n\n${about.join("\n")}`,
    `Available Actions: ${actions.map(({ name }) => name).join(", ")}`,
    paint.heading("Actions:"),
    ...actions.map((action) => actionText(action, paint)),
  ]
    .map((part) => `${part}\n\n`)
    .join("");
}

/** What a data provider is asked and tells, for people. */
export function dataPage({ name, description, query, output }: DataDdl, paint: Paint): string {
  const asked = query === undefined ? [] : itemsText("Query", { query }, inputRows, paint);
  const parts = [
    `${titleOf(name)} Data Provider`,
    description,
    ...asked,
    ...itemsText("Outputs", output, outputRows, paint),
  ];
  return parts.map((part) => `${part}\n\n`).join("");
}

/** The name of an agent as a title. */
export function titleOf(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** What an agent says about itself. */
export function metadataRows({ metadata }: AgentDdl): Row[] {
  return [
    ["Author", metadata.author],
    ["URL", metadata.url],
    ["License", metadata.license],
    ["Timeout", String(metadata.timeout)],
    ...(metadata.provider ? [["Provider", metadata.provider] as const] : []),
    ...(metadata.service ? [["Service", "true"] as const] : []),
  ];
}

function actionText(action: DdlAction, paint: Paint): string {
  const { name, description, display } = action;
  const parts = [
    description,
    ...(display === "failed" ? [] : [`Displaying ${display === "ok" ? "successful replies" : "always"}`]),
    ...itemsText("Inputs", action.input, inputRows, paint),
    ...itemsText("Outputs", action.output, outputRows, paint),
  ];
  return `  ${name} Action:\n\n${indentLines(parts.join("\n\n"), "    ")}`;
}

function itemsText<T extends { description: string }>(
  title: string,
  items: Readonly<Record<string, T>>,
  rowsOf: (item: T) => Row[],
  paint: Paint,
): string[] {
  const entries = Object.entries(items).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return [];
  const texts = entries.map(
    ([name, item]) => `  ${name}:\n${indentLines(box(item.description, rowsOf(item)), "    ")}`,
  );
  return [paint.heading(`${title}:`), ...texts];
}

function box(description: string, rows: readonly Row[]): string {
  const lines = rows.map(([label, value]) => `║${label.padStart(colon)}: ${value}`);
  return [description, "", ...lines, "╙─"].join("\n");
}

/** What is known of an input. */
export function inputRows(input: DdlInput): Row[] {
  return [
    ["Prompt", input.prompt],
    ["Type", typeName(input.type)],
    ["Optional", String(input.optional)],
    ...(input.validation ? [["Validation", input.validation] as const] : []),
    ...(input.maxlength ? [["Max Length", String(input.maxlength)] as const] : []),
    ...(input.list ? [["Enum", input.list.join(", ")] as const] : []),
    ...defaultRow(input.default),
  ];
}

/** What is known of an output. */
export function outputRows(output: DdlOutput): Row[] {
  return [["Display As", output.display_as], ["Type", typeName(output.type ?? "")], ...defaultRow(output.default)];
}

function defaultRow(value: unknown): Row[] {
  return value === undefined ? [] : [["Default", typeof value === "string" ? value : prettyJson(value)]];
}

function typeName(type: string): string {
  return type === "" ? "Undefined" : titleOf(type);
}
