import type { Annotations } from "./annotations.ts";
import type { Module } from "./ast.ts";
import { RegoError, type RegoPlace } from "./errors.ts";
import type { Callee } from "./ir.ts";
import type { TreeNode } from "./tree.ts";
import { keyOf } from "./values.ts";

/** What is known of a function that is not written in the language. */
export interface FunctionFacts {
  readonly arity: number;
  readonly relation: boolean;
  /** Gone since v1. */
  readonly deprecated: boolean;
}

/** The names that exist outside of the modules. */
export interface Outside {
  builtin(name: string): FunctionFacts | undefined;
  custom(name: string): number | undefined;
}

/** A document that a name stands for. */
export interface GlobalPath {
  readonly root: "input" | "data";
  readonly path: readonly string[];
}

/** Looks up the global names of one module. */
export class Names {
  readonly module: Module;
  readonly root: TreeNode;
  readonly annotations: Annotations;
  readonly #outside: Outside;
  readonly #rules: ReadonlySet<string>;
  readonly #imports = new Map<string, GlobalPath>();
  readonly #callees = new Map<string, Callee | null>();
  readonly #globals = new Map<string, GlobalPath | null>();

  constructor(module: Module, rules: ReadonlySet<string>, root: TreeNode, outside: Outside, annotations: Annotations) {
    this.module = module;
    this.root = root;
    this.annotations = annotations;
    this.#outside = outside;
    this.#rules = rules;
    for (const { alias, path } of module.imports) {
      this.#imports.set(alias, { root: path[0] === "input" ? "input" : "data", path: path.slice(1) });
    }
  }

  /** The document behind a name, undefined when it is a variable. */
  global(name: string): GlobalPath | undefined {
    let known = this.#globals.get(name);
    if (known === undefined) {
      known = this.#findGlobal(name) ?? null;
      this.#globals.set(name, known);
    }
    return known ?? undefined;
  }

  #findGlobal(name: string): GlobalPath | undefined {
    if (this.#rules.has(name)) return { root: "data", path: [...this.module.packagePath, name] };
    if (name === "input" || name === "data") return { root: name, path: [] };
    return this.#imports.get(name);
  }

  /** The function behind a dotted name. */
  callee(name: readonly string[], at: RegoPlace): Callee {
    return this.find(name) ?? this.#missing(name.join("."), at);
  }

  #missing(name: string, at: RegoPlace): never {
    throw RegoError.at("rego_type_error", `undefined function ${name}`, at);
  }

  /** The function behind a dotted name, undefined when there is none. */
  find(name: readonly string[]): Callee | undefined {
    const [first = ""] = name;
    const key = name.length === 1 ? first : name.join(".");
    let known = this.#callees.get(key);
    if (known === undefined) {
      known = this.#findCallee(name) ?? null;
      this.#callees.set(key, known);
    }
    return known ?? undefined;
  }

  #findCallee(name: readonly string[]): Callee | undefined {
    const [first = "", ...rest] = name;
    const global = this.global(first);
    if (global?.root === "data") {
      const group = this.#group([...global.path, ...rest]);
      if (group?.kind === "function") return { k: "rule", group };
      if (group !== undefined || this.#rules.has(first)) return undefined;
    }
    const text = name.join(".");
    const arity = this.#outside.custom(text);
    if (arity !== undefined) return { k: "custom", name: text, arity };
    const facts = this.#outside.builtin(text);
    if (facts === undefined || (facts.deprecated && this.module.dialect === "v1")) return undefined;
    return { k: "builtin", name: text, arity: facts.arity, relation: facts.relation };
  }

  #group(path: readonly string[]): TreeNode["group"] {
    let node: TreeNode | undefined = this.root;
    for (const [i, step] of path.entries()) {
      node = node?.children.get(keyOf(step));
      if (node?.group !== undefined) return i === path.length - 1 ? node.group : undefined;
    }
    return undefined;
  }
}
