import { readFileSync } from "node:fs";
import { lookup } from "../../expr/mod.ts";
import { parseObject } from "../../std/mod.ts";

const action = /\{\{(-\s)?\s*(.*?)\s*(\s-)?\}\}/gs;
const call = /^o\s+("(?:[^"\\]|\\.)*"|`[^`]*`)\s+("(?:[^"\\]|\\.)*"|`[^`]*`|[-+\w.]+)$/s;

/**
 * Fill in the template of a plugin's command: `{{ o "path" default }}` gives what the overrides have for the machine.
 * What comes from there is escaped as in HTML.
 *
 * @param overridesFile JSON with an object for each machine; empty for none.
 * @throws {Error} when the file cannot be read, or the template holds anything else.
 */
export function renderPlugin(template: string, overridesFile: string, machine: string): string {
  if (!template.includes("{{")) return template;
  const all = overridesFile === "" ? {} : parseObject(readFileSync(overridesFile));
  return template.replace(action, (_, _left: string, text: string) => {
    const [, path, fallback] = call.exec(text) ?? [];
    if (path === undefined || fallback === undefined) throw new Error(`Cannot read the template "{{ ${text} }}"`);
    const found = lookup(all[machine], literal(path)) ?? literal(fallback);
    return escapeHtml(typeof found === "string" ? found : JSON.stringify(found));
  });
}

function literal(text: string): string {
  if (text.startsWith("`")) return text.slice(1, -1);
  return text.startsWith('"') ? String(JSON.parse(text)) : text;
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
