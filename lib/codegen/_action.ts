import type { DdlAction, DdlInput, DdlOutput, ValueType } from "../ddl/mod.ts";
import { byName, pascal } from "./_names.ts";
import { docComment, lineWidth, propertyKey, quote } from "./_text.ts";

/** Names of the types of an action. */
export function typeNames(action: string): { inputs: string; outputs: string } {
  return { inputs: `${pascal(action)}Inputs`, outputs: `${pascal(action)}Outputs` };
}

/** Whether an input must be given. */
export function isNeeded(input: DdlInput): boolean {
  return !input.optional && input.default === undefined;
}

/** The file of one action: the types of what it takes and gives. */
export function actionFile(agent: string, action: DdlAction): string {
  const { inputs, outputs } = typeNames(action.name);
  const place = `${agent}#${action.name}`;
  return [
    typeText(inputs, `What ${place} takes.`, properties(action.input, inputProperty)),
    typeText(outputs, `What ${place} gives.`, properties(action.output, outputProperty)),
  ].join("\n");
}

function properties<T>(items: Readonly<Record<string, T>>, write: (name: string, item: T) => string): string[] {
  return Object.entries(items)
    .sort(([a], [b]) => byName(a, b))
    .map(([name, item]) => write(name, item));
}

function typeText(name: string, doc: string, members: readonly string[]): string {
  const comment = docComment([doc]);
  if (members.length === 0) return `${comment}export type ${name} = Record<string, never>;\n`;
  return `${comment}export interface ${name} {\n${members.join("")}}\n`;
}

function inputProperty(name: string, input: DdlInput): string {
  const limits = [
    ...(input.maxlength ? [`At most ${input.maxlength} bytes.`] : []),
    ...(input.validation ? [`Must match ${code(input.validation)}.`] : []),
  ];
  const fallback = input.default === undefined ? "" : `@default ${JSON.stringify(input.default)}`;
  const comment = docComment([input.description || input.prompt || name, limits.join(" "), fallback], "  ");
  return comment + typedProperty(`${propertyKey(name)}${isNeeded(input) ? "" : "?"}`, inputTypes(input));
}

function code(pattern: string): string {
  return `\`${pattern.replaceAll("`", "'")}\``;
}

function outputProperty(name: string, output: DdlOutput): string {
  const type = typeOf(output.type ?? "");
  const canLack = output.default === undefined && type !== "unknown";
  const comment = docComment([output.description || output.display_as], "  ");
  return comment + typedProperty(propertyKey(name), canLack ? [type, "undefined"] : [type]);
}

function inputTypes(input: DdlInput): string[] {
  const { list = [] } = input;
  return input.type === "list" && list.length > 0 ? list.map(quote) : [typeOf(input.type)];
}

/** One property; a choice that is too long for a line takes a line for each of its members. */
function typedProperty(head: string, members: readonly string[]): string {
  const line = `  ${head}: ${members.join(" | ")};`;
  if (Bun.stringWidth(line) <= lineWidth) return `${line}\n`;
  return `  ${head}:\n${members.map((member) => `    | ${member}`).join("\n")};\n`;
}

function typeOf(type: ValueType): string {
  switch (type) {
    case "string":
    case "list":
      return "string";
    case "integer":
    case "float":
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "hash":
      return "Record<string, unknown>";
    case "array":
      return "unknown[]";
    case "":
      return "unknown";
  }
}
