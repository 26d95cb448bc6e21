import { readFileSync } from "node:fs";
import { lookup } from "../../expr/mod.ts";
import { parseObject } from "../../std/mod.ts";
import { renderWith } from "../template.ts";

/**
 * Fill in the template of a plugin's command, in which `o PATH DEFAULT` gives what the overrides have for the machine at
 * a GJSON path. What actions show is escaped as in HTML.
 *
 * @param overridesFile JSON with an object for each machine; empty for none.
 * @throws {Error} when the file cannot be read, or `template: machine:LINE:COLUMN: …`.
 */
export function renderPlugin(template: string, overridesFile: string, machine: string): string {
  if (!template.includes("{{")) return template;
  const all = overridesFile === "" ? {} : parseObject(readFileSync(overridesFile));
  const own = Object.hasOwn(all, machine) ? all[machine] : undefined;
  const o = ([path, otherwise]: readonly unknown[]) => textOf(lookup(own, String(path)) ?? otherwise);
  return renderWith(template, { o }, escapeHtml);
}

function textOf(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
  "+": "&#43;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'+]/g, (character) => entities[character] ?? "");
}
