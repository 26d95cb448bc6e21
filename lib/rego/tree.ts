import type { Module, Rule, Term } from "./ast.ts";
import { RegoError, type RegoPlace } from "./errors.ts";
import type { GroupKind, PlacedRule, RuleGroup } from "./ir.ts";
import { keyOf, type RegoKey, type RegoScalar } from "./values.ts";

/** A place in the tree of packages and rules. */
export interface TreeNode {
  readonly key: RegoScalar;
  readonly children: Map<RegoKey, TreeNode>;
  group: RuleGroup | undefined;
}

const NO_TERMS: readonly Term[] = [];

interface Draft extends TreeNode {
  readonly children: Map<RegoKey, Draft>;
  readonly rules: PlacedRule[];
  isPackage: boolean;
}

/** Text of a path below data, for messages. */
export function pathText(keys: readonly RegoScalar[]): string {
  const steps = keys.map((key) =>
    typeof key === "string" && /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(String(key))}]`,
  );
  return `data${steps.join("")}`;
}

/** Arranges the rules of modules by their names. */
export function buildTree(modules: readonly Module[]): { root: TreeNode; groups: RuleGroup[] } {
  const root = draft(null);
  for (const module of modules) {
    const home = descend(root, module.packagePath);
    home.isPackage = true;
    for (const rule of module.rules) place(home, rule, module);
  }
  const groups: RuleGroup[] = [];
  settle(root, [], groups);
  return { root, groups };
}

function draft(key: RegoScalar): Draft {
  return { key, children: new Map(), group: undefined, rules: [], isPackage: false };
}

function descend(from: Draft, keys: readonly RegoScalar[]): Draft {
  let node = from;
  for (const key of keys) {
    const k = keyOf(key);
    let next = node.children.get(k);
    if (next === undefined) {
      next = draft(key);
      node.children.set(k, next);
    }
    node = next;
  }
  return node;
}

function place(home: Draft, rule: Rule, module: Module): void {
  const { name } = rule;
  const keys: RegoScalar[] = [];
  for (const step of name) {
    if (keys.length === 0 && step.t === "var") keys.push(step.name);
    else if (step.t === "scalar") keys.push(step.value);
    else break;
  }
  const suffix = keys.length === name.length ? NO_TERMS : name.slice(keys.length);
  descend(home, keys).rules.push({ rule, module, suffix });
}

function settle(node: Draft, keys: readonly RegoScalar[], groups: RuleGroup[]): void {
  const first = node.rules[0];
  if (first !== undefined) {
    if (node.rules.some((each) => each.suffix.length > 0)) absorb(node, node, []);
    node.group = makeGroup(groups.length, keys, node);
    groups.push(node.group);
    if (node.children.size > 0) conflictBelow(node, keys, first.rule);
    if (node.isPackage) fail(`package ${pathText(keys).slice(5)} conflicts with rule`, first.rule.at);
    return;
  }
  for (const child of node.children.values()) settle(child, [...keys, child.key], groups);
}

/** Moves the rules of the nodes below into the group of a node whose keys are computed. */
function absorb(into: Draft, node: Draft, path: readonly Term[]): void {
  for (const [k, child] of node.children) {
    const at = into.rules[0]?.rule.at ?? { filename: "", row: 0, col: 0 };
    const steps: Term[] = [...path, { t: "scalar", value: child.key, at }];
    if (child.isPackage) fail(`package conflicts with rule`, at);
    for (const each of child.rules) {
      if (each.rule.args !== undefined) fail("functions cannot stand below rules with computed names", each.rule.at);
      into.rules.push({ ...each, suffix: [...steps, ...each.suffix] });
    }
    absorb(into, child, steps);
    node.children.delete(k);
  }
}

function conflictBelow(node: Draft, keys: readonly RegoScalar[], rule: Rule): never {
  const below = [...node.children.values()].map((child) => pathText([...keys, child.key]));
  return fail(`rule ${pathText(keys)} conflicts with [${below.join(" ")}]`, rule.at);
}

function makeGroup(id: number, keys: readonly RegoScalar[], node: Draft): RuleGroup {
  const [first] = node.rules;
  if (first === undefined) throw new RangeError("Cannot make a group: it has no rules");
  const computed = node.rules.some((each) => each.suffix.length > 0);
  const kind = computed ? "partial" : kindOf(first);
  const arity = first.rule.args?.length ?? 0;
  let defaults = 0;
  for (const each of node.rules) {
    const fits = kindOf(each) === kind && (each.rule.args?.length ?? 0) === arity;
    if (!fits) fail(`conflicting rules ${pathText(keys)} found`, each.rule.at);
    if (each.rule.isDefault && each.suffix.length === 0) defaults++;
  }
  if (defaults > 1) fail(`multiple default rules ${pathText(keys)} found`, first.rule.at);
  return { id, keys, kind, arity, at: first.rule.at, placed: node.rules, defs: [] };
}

function kindOf({ rule, suffix }: PlacedRule): GroupKind {
  if (suffix.length > 0) return "partial";
  if (rule.args !== undefined) return "function";
  return rule.contains === undefined ? "complete" : "set";
}

function fail(message: string, at: RegoPlace): never {
  throw RegoError.at("rego_type_error", message, at);
}
