import { parse } from "yaml";
import type { Module, Rule, Term } from "./ast.ts";
import { RegoObject, type RegoScalar, type RegoValue, toRego } from "./values.ts";

/** A `# METADATA` comment, and what it is about. */
interface Annotation {
  readonly scope: string;
  readonly fields: RegoObject;
}

interface Block {
  /** Row of the first line after the comment. */
  readonly row: number;
  readonly annotation: Annotation;
}

const MAX_TEXT = 100_000;
const MAX_BLOCKS = 1_000;
const TEXT_FIELDS = ["title", "description"];
const OTHER_FIELDS = ["organizations", "schemas", "custom"];

/** The annotations of a program; comments are read when they are first asked for. */
export class Annotations {
  readonly #modules: readonly Module[];
  #read: { readonly rules: Map<Rule, Annotation[]>; readonly byPath: Map<string, Annotation> } | undefined;

  constructor(modules: readonly Module[]) {
    this.#modules = modules;
  }

  /** What is said of a rule alone. */
  rule(rule: Rule): RegoValue {
    return this.#ofRule(rule)?.fields ?? new RegoObject();
  }

  /** What is said of a rule, of all rules of its name, of its package, and of the packages around it. */
  chain(rule: Rule, packagePath: readonly string[]): RegoValue {
    const path = [...packagePath, ...groundName(rule.name)];
    const out = [link(path, this.#ofRule(rule))];
    const add = (scope: string, at: readonly RegoScalar[]) => {
      const found = this.#all().byPath.get(pathKey(scope, at));
      if (found !== undefined) out.push(link(at, found));
    };
    add("document", path);
    add("package", packagePath);
    for (let end = packagePath.length; end > 0; end--) add("subpackages", packagePath.slice(0, end));
    return out;
  }

  #ofRule(rule: Rule): Annotation | undefined {
    return this.#all()
      .rules.get(rule)
      ?.find((each) => each.scope === "rule");
  }

  #all() {
    this.#read ??= readAll(this.#modules);
    return this.#read;
  }
}

function readAll(modules: readonly Module[]) {
  const rules = new Map<Rule, Annotation[]>();
  const byPath = new Map<string, Annotation>();
  for (const module of modules) {
    let next = 0;
    for (const { row, annotation } of blocksOf(module)) {
      while ((module.rules[next]?.at.row ?? row) < row) next++;
      const rule = row <= module.packageRow ? undefined : module.rules[next];
      const path = [...module.packagePath, ...(rule === undefined ? [] : groundName(rule.name))];
      const key = pathKey(annotation.scope, path);
      if (annotation.scope !== "rule") {
        if (!byPath.has(key)) byPath.set(key, annotation);
      } else if (rule !== undefined) rules.set(rule, [...(rules.get(rule) ?? []), annotation]);
    }
  }
  return { rules, byPath };
}

function pathKey(scope: string, path: readonly RegoScalar[]): string {
  return [scope, ...path].map((step) => JSON.stringify(String(step))).join(" ");
}

function link(path: readonly RegoScalar[], annotation: Annotation | undefined): RegoObject {
  const out = RegoObject.of([["path", path]]);
  if (annotation !== undefined) out.set("annotations", annotation.fields);
  return out;
}

function groundName(name: readonly Term[]): RegoScalar[] {
  const out: RegoScalar[] = [];
  for (const step of name) {
    if (step.t === "scalar") out.push(step.value);
    else if (step.t === "var" && out.length === 0) out.push(step.name);
    else break;
  }
  return out;
}

/** The annotations of a text, each with the row from which the statement it belongs to is looked for. */
function blocksOf({ source, packageRow }: Module): Block[] {
  if (!source.includes("METADATA")) return [];
  const out: Block[] = [];
  const lines = source.split("\n");
  let size = 0;
  for (let i = 0; i < lines.length && out.length < MAX_BLOCKS; i++) {
    if (!/^\s*#\s*METADATA\s*$/.test(lines[i] ?? "")) continue;
    const text: string[] = [];
    for (let line = lines[i + 1]; line !== undefined && isComment(line); line = lines[i + 1]) {
      if (/^\s*#\s*METADATA\s*$/.test(line)) break;
      text.push(line.replace(/^\s*#/, "").trimEnd());
      size += line.length;
      i++;
    }
    if (size > MAX_TEXT) break;
    const row = i + 2;
    const annotation = readBlock(text.join("\n"), row <= packageRow ? "package" : "rule");
    if (annotation !== undefined) out.push({ row, annotation });
  }
  return out;
}

function isComment(line: string): boolean {
  return /^\s*#/.test(line);
}

/** A comment as data; one that is not readable says nothing. */
function readBlock(text: string, usual: string): Annotation | undefined {
  const source = readYaml(text);
  if (!(source instanceof RegoObject)) return undefined;
  const entrypoint = source.get("entrypoint");
  const given = source.get("scope");
  const scope = typeof given === "string" ? given : entrypoint === true ? "document" : usual;
  const fields = RegoObject.of([["scope", scope]]);
  for (const name of TEXT_FIELDS) if (typeof source.get(name) === "string") copy(source, fields, name);
  for (const name of OTHER_FIELDS) copy(source, fields, name);
  if (entrypoint === true) fields.set("entrypoint", true);
  copy(source, fields, "authors", author);
  copy(source, fields, "related_resources", (each) =>
    typeof each === "string" ? RegoObject.of([["ref", each]]) : each,
  );
  return { scope, fields };
}

function copy(from: RegoObject, to: RegoObject, name: string, each?: (item: RegoValue) => RegoValue): void {
  const value = from.get(name);
  if (value === undefined) return;
  to.set(name, each !== undefined && Array.isArray(value) ? (value as readonly RegoValue[]).map(each) : value);
}

/** An author, who may be written as `name <address>`. */
function author(source: RegoValue): RegoValue {
  if (typeof source !== "string") return source;
  const [, name = "", email] = /^(.*?)\s*(?:<([^>]*)>)?\s*$/.exec(source) ?? [];
  const out = new RegoObject();
  if (name !== "") out.set("name", name);
  if (email !== undefined) out.set("email", email);
  return out;
}

function readYaml(text: string): RegoValue | undefined {
  try {
    return toRego(parse(text, { maxAliasCount: 100 }) as unknown);
  } catch {
    return undefined;
  }
}
