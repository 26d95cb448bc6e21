import { isObject } from "../std/mod.ts";
import type { AgentDdl, DdlAction, DdlAggregate, DdlInput, DdlMetadata, DdlOutput } from "./ddl.ts";

/** An agent DDL in the Ruby language of MCollective, which older clients read. */
export function encodeRubyDdl({ metadata, actions }: AgentDdl): string {
  return `${formatMetadata(metadata)}\n\n\n${actions.map(formatAction).join("\n")}\n\n`;
}

/** Keys of a block with their values in Ruby; those without a value are left out. */
type Fields = readonly (readonly [key: string, value: string | undefined])[];

/** `head` and the fields, one a line, with the keys below each other. */
function formatFields(head: string, indent: string, fields: Fields): string {
  const lines = fields.flatMap(([key, value]) => (value === undefined ? [] : [`:${key.padEnd(11)} => ${value}`]));
  return `${head}${lines.join(`,\n${indent}`)}`;
}

function formatMetadata(metadata: DdlMetadata): string {
  const { name, description, author, license, version, url, provider, service, timeout } = metadata;
  return formatFields("metadata ", "         ", [
    ["name", text(name)],
    ["description", text(description)],
    ["author", text(author)],
    ["license", text(license)],
    ["version", text(version)],
    ["url", text(url)],
    ["provider", provider === undefined ? undefined : text(provider)],
    ["service", service ? "true" : undefined],
    ["timeout", String(timeout)],
  ]);
}

function formatAction({ name, description, display, input, output, aggregate }: DdlAction): string {
  const inputs = sorted(input).map(([key, item]) => `${formatInput(key, item)}\n\n\n`);
  const outputs = sorted(output).map(([key, item]) => `${formatOutput(key, item)}\n\n`);
  const summaries = aggregate.map((item) => `    ${formatAggregate(item)}\n`).join("");
  return [
    `action ${text(name)}, :description => ${text(description)} do\n`,
    `  display :${display}\n\n`,
    ...inputs,
    "\n\n",
    ...outputs,
    summaries === "" ? "" : `  summarize do\n${summaries}  end\n`,
    "end\n",
  ].join("");
}

function formatInput(name: string, input: DdlInput): string {
  const { prompt, description, type, validation, maxlength, list, optional } = input;
  const isText = type === "string";
  return formatFields(`  input :${name},\n        `, "        ", [
    ["prompt", text(prompt)],
    ["description", text(description)],
    ["type", `:${type || "string"}`],
    ["default", input.default === undefined ? undefined : literal(input.default)],
    ["list", list === undefined ? undefined : literal(list)],
    ["validation", isText ? pattern(validation ?? ".") : undefined],
    ["maxlength", isText ? String(maxlength ?? 0) : undefined],
    ["optional", String(optional)],
  ]);
}

function formatOutput(name: string, { description, type, display_as, default: fallback }: DdlOutput): string {
  return formatFields(`  output :${name},\n         `, "         ", [
    ["description", text(description)],
    ["type", type === undefined ? undefined : text(type)],
    ["display_as", text(display_as)],
    // What counts as nothing is nothing, as ever.
    ["default", fallback ? literal(fallback) : undefined],
  ]);
}

function formatAggregate({ function: name, output, options }: DdlAggregate): string {
  const format = typeof options.format === "string" ? `, :format => ${text(options.format)}` : "";
  return `aggregate ${name}(:${output}${format})`;
}

function sorted<T>(items: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(items).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A Ruby text. What Ruby would replace in it is taken literally. */
function text(value: string): string {
  return JSON.stringify(value).replace(/#(?=[{$@])/g, "\\#");
}

/** A Ruby text in which backslashes stand for themselves, as far as Ruby has one. */
function pattern(value: string): string {
  return `'${value.replace(/\\(?=[\\']|$)/g, "\\\\").replace(/'/g, "\\'")}'`;
}

function literal(value: unknown): string {
  if (typeof value === "string") return text(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (isObject(value)) {
    const pairs = Object.entries(value).map(([key, item]) => `${text(key)} => ${literal(item)}`);
    return `{${pairs.join(", ")}}`;
  }
  return value === null || value === undefined ? "nil" : String(value);
}
