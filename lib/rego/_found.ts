import type { Goal } from "./_link.ts";
import { linkTerm } from "./_match.ts";
import { RegoError } from "./errors.ts";
import type { Branch, RuleGroup } from "./ir.ts";
import { equalValues, RegoObject, RegoSet, type RegoValue } from "./values.ts";

/** Is thrown where one rule says several things. */
export const CONFLICT = Symbol("several values");

/** What is done with each solution of a branch: its value becomes that of the frame, or a part of it. */
export function foundGoal(branch: Branch, group: RuleGroup, isDefault: boolean): Goal {
  const get = linkTerm(branch.value);
  if (group.kind === "set") {
    return (f) => {
      f.c.meter.make(48);
      f.held = true;
      if (f.out instanceof RegoSet) f.out.add(get(f));
      return false;
    };
  }
  if (group.kind === "partial") return foundBelow(branch, isDefault);
  const constant = branch.value.k === "const";
  return (f) => {
    const value = get(f);
    if (f.out === undefined) f.out = value;
    else if (!equalValues(f.out, value)) throw CONFLICT;
    return constant;
  };
}

function foundBelow(branch: Branch, isDefault: boolean): Goal {
  const get = linkTerm(branch.value);
  const steps = branch.path.map(linkTerm);
  const conflict = (): never => {
    throw RegoError.at("eval_conflict_error", "object keys must be unique", branch.at);
  };
  return (f) => {
    f.held = true;
    f.c.meter.make(64 * steps.length);
    let node = f.out;
    for (const [i, step] of steps.entries()) {
      if (!(node instanceof RegoObject)) return conflict();
      const key = step(f);
      const before: RegoValue | undefined = node.get(key);
      if (i < steps.length - 1) {
        if (before !== undefined && !isOpen(before)) return conflict();
        const next: RegoValue = before ?? new OpenObject();
        if (before === undefined) node.set(key, next);
        node = next;
      } else if (branch.contains) {
        if (before !== undefined && !(before instanceof RegoSet && isOpen(before))) return conflict();
        const set = before instanceof RegoSet ? before : new OpenSet();
        set.add(get(f));
        if (before === undefined) node.set(key, set);
      } else {
        const value = get(f);
        if (before === undefined) node.set(key, value);
        else if (isDefault) return false;
        else if (isOpen(before) || !equalValues(before, value)) return conflict();
      }
    }
    return false;
  };
}

/** An object of a partial rule that further rules may add to. */
class OpenObject extends RegoObject {}

/** A set of a partial rule that further rules may add to. */
class OpenSet extends RegoSet {}

function isOpen(value: RegoValue): boolean {
  return value instanceof OpenObject || value instanceof OpenSet;
}
