import { RegoError } from "./errors.ts";
import type { Callee, Literal, Need, RuleGroup, Simple } from "./ir.ts";
import { pathText, type TreeNode } from "./tree.ts";
import { keyOf } from "./values.ts";

/**
 * Refuses groups of rules that need themselves.
 *
 * @throws RegoError naming the circle.
 */
export function checkRecursion(root: TreeNode, groups: readonly RuleGroup[]): void {
  let count = 0;
  const edges = new Map<RuleGroup, ReadonlySet<RuleGroup>>();
  for (const group of groups) {
    const needed = neededBy(group, root);
    count += needed.size;
    if (count > MAX_EDGES)
      throw RegoError.at("rego_compile_error", "the rules depend on each other in too many ways", group.at);
    edges.set(group, needed);
  }
  const done = new Set<RuleGroup>();
  const open: RuleGroup[] = [];
  const onPath = new Set<RuleGroup>();
  const visit = (group: RuleGroup): void => {
    if (onPath.has(group)) refuse([...open.slice(open.indexOf(group)), group]);
    if (done.has(group)) return;
    open.push(group);
    onPath.add(group);
    for (const next of edges.get(group) ?? []) visit(next);
    onPath.delete(group);
    open.pop();
    done.add(group);
  };
  for (const group of groups) visit(group);
}

function refuse(circle: readonly RuleGroup[]): never {
  const [first] = circle;
  const names = circle.map((group) => pathText(group.keys));
  const message = `rule ${names[0]} is recursive: ${names.join(" -> ")}`;
  throw RegoError.at("rego_recursion_error", message, first?.at ?? { filename: "", row: 0, col: 0 });
}

const MAX_EDGES = 500_000;

function neededBy(group: RuleGroup, root: TreeNode): Set<RuleGroup> {
  const out = new Set<RuleGroup>();
  for (const def of group.defs) {
    if (def.sketch === undefined) for (const branch of def.branches) collect(branch.literals, root, out);
    else for (const need of def.sketch.needs) addNeed(need, root, out);
  }
  return out;
}

function collect(literals: readonly Literal[], root: TreeNode, out: Set<RuleGroup>): void {
  for (const literal of literals) {
    if (literal.op === "ref" && literal.root.k === "data") reach(literal.path, root, out);
    if (literal.op === "call") addCallee(literal.callee, out);
    if (literal.op === "with") {
      for (const modifier of literal.modifiers) if (modifier.k === "mock") addCallee(modifier.callee, out);
    }
    if ("body" in literal) collect(literal.body, root, out);
  }
}

function addNeed(need: Need, root: TreeNode, out: Set<RuleGroup>): void {
  if ("group" in need) out.add(need.group);
  else reach(need.path, root, out);
}

function addCallee(callee: Callee | undefined, out: Set<RuleGroup>): void {
  if (callee?.k === "rule") out.add(callee.group);
}

function reach(path: readonly Simple[], root: TreeNode, out: Set<RuleGroup>): void {
  const go = (node: TreeNode, i: number): void => {
    if (node.group !== undefined) {
      if (node.group.kind !== "function") out.add(node.group);
      return;
    }
    const step = path[i];
    const children = step?.k === "const" ? [node.children.get(keyOf(step.value))] : node.children.values();
    for (const child of children) if (child !== undefined) go(child, i + 1);
  };
  go(root, 0);
}
