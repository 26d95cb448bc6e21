import { isObject } from "../std/mod.ts";

/** Longest line. */
export const lineWidth = 120;

/** A string literal in the quotes that need fewer escapes. */
export function quote(text: string): string {
  const doubles = text.split('"').length;
  const singles = text.split("'").length;
  const json = JSON.stringify(text);
  if (doubles <= singles) return json;
  return `'${json.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** The name of a property, in quotes where it needs them. */
export function propertyKey(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name);
}

/** A JSON value as a literal, laid out as formatters do, objects with one property a line. */
export function literal(value: unknown, indent = "", used = 0): string {
  if (typeof value === "string") return quote(value);
  const deeper = `${indent}  `;
  if (Array.isArray(value)) return listLiteral(value, indent, used);
  if (!isObject(value)) return JSON.stringify(value) ?? "undefined";
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.length === 0) return "{}";
  return `{\n${entries.map(([key, item]) => property(propertyKey(key), item, deeper)).join("")}${indent}}`;
}

function property(key: string, value: unknown, indent: string): string {
  const head = `${indent}${key}:`;
  const text = literal(value, indent, head.length + 1);
  const isLong = typeof value === "string" && Bun.stringWidth(`${head} ${text},`) > lineWidth;
  return isLong ? `${head}\n${indent}  ${text},\n` : `${head} ${text},\n`;
}

function listLiteral(values: readonly unknown[], indent: string, used: number): string {
  const deeper = `${indent}  `;
  const line = `[${values.map((value) => literal(value, deeper)).join(", ")}]`;
  if (!line.includes("\n") && !isNested(values) && used + Bun.stringWidth(line) < lineWidth) return line;
  return `[\n${values.map((value) => `${deeper}${literal(value, deeper, deeper.length)},\n`).join("")}${indent}]`;
}

/** Lists of lists are opened up by formatters. */
function isNested(values: readonly unknown[]): boolean {
  return values.length > 1 && values.every((value) => Array.isArray(value) && value.length > 1);
}

/** A doc comment. Lines are wrapped; nothing in them ends the comment. */
export function docComment(paragraphs: readonly string[], indent = ""): string {
  const lines = paragraphs
    .filter((text) => text !== "")
    .flatMap((text, at) => [...(at > 0 ? [""] : []), ...wrapped(safe(text), lineWidth - indent.length - 3)]);
  const [first = ""] = lines;
  if (lines.length <= 1 && first.length + indent.length + 7 <= lineWidth) return `${indent}/** ${first} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}

function safe(text: string): string {
  return text.trim().replaceAll("*/", "*\\/");
}

/** Lines of at most so many columns; those that begin with spaces or a fence stay as they are. */
function wrapped(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => {
    const out: string[] = [];
    let rest = line.trimEnd();
    while (rest.length > width) {
      const at = rest.lastIndexOf(" ", width);
      if (at < 1) break;
      out.push(rest.slice(0, at));
      rest = rest.slice(at + 1);
    }
    return [...out, rest];
  });
}
