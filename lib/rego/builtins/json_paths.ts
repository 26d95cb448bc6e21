import { charge } from "../_ambient.ts";
import { equalValues, isArray, RegoObject, RegoSet, type RegoValue, sizeOf, typeName } from "../values.ts";
import { type Args, any, arr, bad, type Family, fn, items, obj, operandError } from "./_kit.ts";

type Path = readonly RegoValue[];

function unescapeStep(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}

function parsePath(path: RegoValue): Path {
  if (typeof path === "string") {
    const text = path.startsWith("/") ? path.slice(1) : path;
    return path === "" ? [] : text.split("/").map(unescapeStep);
  }
  if (isArray(path)) return path;
  throw operandError(1, "one of {set, array} containing string paths or array of path segments", typeName(path));
}

function pathsOf(args: Args): Path[] {
  return items(args, 1, "one of {set, array}").map(parsePath);
}

/** Paths as a tree: what is under a step, or everything when it ends there. */
interface PathTree {
  whole: boolean;
  readonly below: Map<string, PathTree>;
}

function treeOf(paths: readonly Path[]): PathTree {
  const root: PathTree = { whole: false, below: new Map() };
  for (const path of paths) {
    let node = root;
    for (const step of path) {
      const name = stepName(step);
      const next = node.below.get(name) ?? { whole: false, below: new Map() };
      node.below.set(name, next);
      node = next;
    }
    node.whole = true;
  }
  return root;
}

function stepName(step: RegoValue): string {
  return typeof step === "string" ? step : `${typeName(step)} ${String(step)}`;
}

function below(tree: PathTree, key: RegoValue): PathTree | undefined {
  return tree.below.get(stepName(key)) ?? tree.below.get(String(key));
}

function without(value: RegoValue, tree: PathTree): RegoValue | undefined {
  if (tree.whole) return undefined;
  if (tree.below.size === 0) return value;
  return rebuilt(value, (key, item) => {
    const inner = below(tree, key);
    return inner === undefined ? item : without(item, inner);
  });
}

function only(value: RegoValue, tree: PathTree): RegoValue | undefined {
  if (tree.whole) return value;
  if (typeof value !== "object" || value === null) return undefined;
  return rebuilt(value, (key, item) => {
    const inner = below(tree, key);
    return inner === undefined ? undefined : only(item, inner);
  });
}

function rebuilt(value: RegoValue, change: (key: RegoValue, item: RegoValue) => RegoValue | undefined): RegoValue {
  charge(sizeOf(value) ?? 0);
  if (isArray(value)) return value.map((item, i) => change(i, item)).filter((item) => item !== undefined);
  if (value instanceof RegoSet)
    return RegoSet.of(
      value
        .values()
        .map((item) => change(item, item))
        .filter((item) => item !== undefined),
    );
  if (!(value instanceof RegoObject)) return value;
  const out = new RegoObject();
  for (const [key, item] of value.entries()) {
    const changed = change(key, item);
    if (changed !== undefined) out.set(key, changed);
  }
  return out;
}

/** A change to the part of a document under the last step of a path; undefined means it is not there. */
type Edit = (parent: RegoValue, step: RegoValue) => RegoValue;

function indexOf(step: RegoValue, last: number): number {
  const text = String(step);
  const index = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : -1;
  if (index < 0 || index > last) throw bad(`index ${text} is out of range`);
  return index;
}

function child(value: RegoValue, step: RegoValue): RegoValue {
  let inner: RegoValue | undefined;
  if (isArray(value)) inner = value[indexOf(step, value.length - 1)];
  else if (value instanceof RegoObject) inner = value.get(step);
  else if (value instanceof RegoSet && value.has(step)) inner = step;
  if (inner === undefined) throw bad(`path ${String(step)} does not exist`);
  return inner;
}

function put(parent: RegoValue, step: RegoValue, value: RegoValue): RegoValue {
  if (isArray(parent)) return parent.with(indexOf(step, parent.length - 1), value);
  if (parent instanceof RegoObject) return parent.with(step, value);
  if (!(parent instanceof RegoSet)) throw bad("cannot descend into a scalar");
  return RegoSet.of([...parent.values().filter((item) => !equalValues(item, step)), value]);
}

function edit(document: RegoValue, path: Path, change: Edit): RegoValue {
  charge(sizeOf(document) ?? 0);
  const [step, ...rest] = path;
  if (step === undefined) throw bad("path is empty");
  if (rest.length === 0) return change(document, step);
  return put(document, step, edit(child(document, step), rest, change));
}

function insert(value: RegoValue): Edit {
  return (parent, step) => {
    if (isArray(parent)) {
      const index = step === "-" ? parent.length : indexOf(step, parent.length);
      return [...parent.slice(0, index), value, ...parent.slice(index)];
    }
    if (parent instanceof RegoObject) return parent.with(step, value);
    if (parent instanceof RegoSet && equalValues(step, value)) return RegoSet.of([...parent.values(), value]);
    throw bad("cannot add to this value");
  };
}

const removal: Edit = (parent, step) => {
  child(parent, step);
  if (isArray(parent)) return parent.toSpliced(Number(step), 1);
  if (parent instanceof RegoSet) return RegoSet.of(parent.values().filter((item) => !equalValues(item, step)));
  return RegoObject.of(parent instanceof RegoObject ? parent.entries().filter(([key]) => !equalValues(key, step)) : []);
};

function patched(document: RegoValue, operation: RegoValue): RegoValue {
  if (!(operation instanceof RegoObject))
    throw operandError(1, "array of objects", `array containing ${typeName(operation)}`);
  const field = (name: string): RegoValue => {
    const value = operation.get(name);
    if (value === undefined) throw bad(`patch operation has no ${name}`);
    return value;
  };
  const path = parsePath(field("path"));
  const at = (target: Path) => target.reduce<RegoValue>(child, document);
  switch (field("op")) {
    case "add":
      return path.length === 0 ? field("value") : edit(document, path, insert(field("value")));
    case "remove":
      return edit(document, path, removal);
    case "replace":
      at(path);
      return path.length === 0
        ? field("value")
        : edit(document, path, (parent, step) => replaced(parent, step, field("value")));
    case "move": {
      const from = parsePath(field("from"));
      const moved = at(from);
      return path.length === 0 ? moved : edit(edit(document, from, removal), path, insert(moved));
    }
    case "copy": {
      const copy = at(parsePath(field("from")));
      return path.length === 0 ? copy : edit(document, path, insert(copy));
    }
    case "test":
      if (!equalValues(at(path), field("value"))) throw bad("test of patch failed");
      return document;
    default:
      throw bad("unrecognized op in patch");
  }
}

function replaced(parent: RegoValue, step: RegoValue, value: RegoValue): RegoValue {
  return put(parent, step, value);
}

/** Parts of documents by path, and patches. */
export const JSON_PATHS: Family = {
  "json.remove": fn(2, (a) => without(obj(a, 0), treeOf(pathsOf(a)))),
  "json.filter": fn(2, (a) => only(obj(a, 0), treeOf(pathsOf(a)))),
  "json.patch": fn(2, (a) => arr(a, 1).reduce(patched, any(a, 0))),
};
