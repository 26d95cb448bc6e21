import type { LineCounter, Pair } from "yaml";

/** Where something stands in a file, counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A value of a YAML file that knows where it stands. */
export type YamlTree =
  | { readonly kind: "scalar"; readonly at: Place; readonly value: unknown; readonly source: string }
  | { readonly kind: "sequence"; readonly at: Place; readonly items: readonly YamlTree[] }
  | { readonly kind: "mapping"; readonly at: Place; readonly entries: ReadonlyMap<string, YamlEntry> };

/** A key with its value. */
export interface YamlEntry {
  readonly key: Place;
  readonly value: YamlTree;
}

/** A YAML text that cannot be read, and where. */
export class YamlError extends Error {
  override readonly name = "YamlError";
  readonly at: Place;

  constructor(message: string, at: Place) {
    super(message);
    this.at = at;
  }
}

const maxDepth = 64;
const maxValues = 500_000;

/** Read a YAML text; an empty one gives undefined. @throws {YamlError} */
export function readYaml(text: string): YamlTree | undefined {
  const yaml = loadYaml();
  const lines = new yaml.LineCounter();
  const options = { lineCounter: lines, uniqueKeys: false, prettyErrors: false, logLevel: "error" } as const;
  const document = parsed(yaml, text, options);
  const [error] = document.errors;
  if (error !== undefined) throw new YamlError(error.message, placeOf(lines, error.pos[0]));
  if (document.contents === null) return undefined;
  return new Reader(yaml, lines).read(document.contents, 0);
}

/** The value alone. What aliases repeat counts each time. @throws {YamlError} where it is too much. */
export function plainValue(tree: YamlTree, budget = { values: maxValues }): unknown {
  if (--budget.values < 0) throw new YamlError("the aliases stand for too many values", tree.at);
  switch (tree.kind) {
    case "scalar":
      return tree.value;
    case "sequence":
      return tree.items.map((item) => plainValue(item, budget));
    case "mapping":
      // Object.fromEntries makes even `__proto__` a key like any other.
      return Object.fromEntries([...tree.entries].map(([key, { value }]) => [key, plainValue(value, budget)]));
  }
}

type Yaml = typeof import("yaml");

/** Loaded with the first manifest: whoever imports this room may have none. */
export function loadYaml(): Yaml {
  return require("yaml");
}

function parsed(yaml: Yaml, text: string, options: NonNullable<Parameters<Yaml["parseDocument"]>[1]>) {
  try {
    return yaml.parseDocument(text, options);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new YamlError("it is nested too deeply", { line: 1, column: 1 });
  }
}

class Reader {
  readonly #yaml: Yaml;
  readonly #lines: LineCounter;
  readonly #anchors = new Map<string, YamlTree>();

  constructor(yaml: Yaml, lines: LineCounter) {
    this.#yaml = yaml;
    this.#lines = lines;
  }

  read(node: unknown, depth: number): YamlTree {
    const at = this.#place(node);
    if (depth > maxDepth) throw new YamlError("it is nested too deeply", at);
    if (this.#yaml.isAlias(node)) return this.#resolve(node.source, at);
    const tree = this.#tree(node, at, depth);
    if ((this.#yaml.isScalar(node) || this.#yaml.isSeq(node) || this.#yaml.isMap(node)) && node.anchor !== undefined) {
      this.#anchors.set(node.anchor, tree);
    }
    return tree;
  }

  #tree(node: unknown, at: Place, depth: number): YamlTree {
    if (this.#yaml.isSeq(node))
      return { kind: "sequence", at, items: node.items.map((item) => this.read(item, depth + 1)) };
    if (this.#yaml.isMap(node)) return { kind: "mapping", at, entries: this.#entries(node.items, depth) };
    const own = this.#yaml.isScalar(node) ? node.value : null;
    const source = this.#yaml.isScalar(node) && typeof node.source === "string" ? node.source : String(own ?? "");
    // Modes of files are written so, and older YAML reads them so.
    const value = typeof own === "number" && /^0[0-7]+$/.test(source) ? Number.parseInt(source, 8) : own;
    return { kind: "scalar", at, value: value ?? null, source };
  }

  #entries(pairs: readonly Pair[], depth: number): Map<string, YamlEntry> {
    const entries = new Map<string, YamlEntry>();
    const merged: YamlTree[] = [];
    for (const pair of pairs) {
      const key = this.#place(pair.key);
      if (!this.#yaml.isScalar(pair.key)) throw new YamlError("a key has to be a text", key);
      const name = typeof pair.key.source === "string" ? pair.key.source : String(pair.key.value);
      const value = this.read(pair.value ?? pair.key, depth + 1);
      if (name === "<<") merged.push(...(value.kind === "sequence" ? value.items : [value]));
      else if (entries.has(name)) throw new YamlError(`mapping key ${JSON.stringify(name)} already defined`, key);
      else entries.set(name, { key, value: pair.value === null ? { ...nothing, at: key } : value });
    }
    for (const tree of merged) {
      if (tree.kind !== "mapping") throw new YamlError("only a mapping can be merged", tree.at);
      for (const [name, entry] of tree.entries) if (!entries.has(name)) entries.set(name, entry);
    }
    return entries;
  }

  #resolve(anchor: string, at: Place): YamlTree {
    const tree = this.#anchors.get(anchor);
    if (tree === undefined) throw new YamlError(`there is no anchor "${anchor}" above`, at);
    return tree;
  }

  #place(node: unknown): Place {
    return placeOf(this.#lines, this.#yaml.isNode(node) ? (node.range?.[0] ?? 0) : 0);
  }
}

const nothing = { kind: "scalar", value: null, source: "" } as const;

function placeOf(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
