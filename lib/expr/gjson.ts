import { isObject, type JsonObject } from "../std/mod.ts";
import { type Modifier, modifiers } from "./_gjson_modifiers.ts";
import { meetsQuery, parseQuery } from "./_gjson_query.ts";
import { endOfGroup, endOfString, findOutside, keyTokens, matchesTokens, plainKey } from "./_gjson_text.ts";

/** Longest path that is looked at. */
const maxPath = 4_096;
/** Most values that may be visited: paths come from the network. */
const maxSteps = 200_000;

/** How many values may still be visited. Paths that come together share one, as many small ones cost like a large one. */
export interface LookupBudget {
  steps: number;
}

/** A budget of 200,000 values. */
export function newLookupBudget(): LookupBudget {
  return { steps: maxSteps };
}

/**
 * Look a value up by a GJSON path: `os.name`, `tags.0`, `tags.#`, `disks.#(size>10)#.name`, `os.na*`, `a\.b`,
 * `{os.name,memory.size}`, `os|@keys`.
 *
 * @param value Parsed JSON; integers may be bigints.
 * @returns what was found, undefined when there is nothing.
 * @param budget What may be visited; is used up.
 * @throws {RangeError} when the path is longer than 4,096 characters, or visits more values than the budget has.
 */
export function lookup(value: unknown, path: string, budget: LookupBudget = newLookupBudget()): unknown {
  if (path.length > maxPath) throw new RangeError(`The path is longer than ${maxPath} characters`);
  const looking = new Lookup(budget);
  const found = looking.get(value, path);
  // Such paths may hold the same value many times over, which costs nothing until somebody writes it down.
  if (/[[{@]/.test(path)) looking.measure(found);
  return found;
}

class Lookup {
  readonly #budget: LookupBudget;

  constructor(budget: LookupBudget) {
    this.#budget = budget;
  }

  get(value: unknown, path: string): unknown {
    this.#spend(1);
    if (value === undefined) return undefined;
    const first = path[0];
    if (first === "@") {
      const end = modifierEnd(path);
      const modifier = Object.hasOwn(modifiers, path.slice(1, end)) ? modifiers[path.slice(1, end)] : undefined;
      if (modifier !== undefined) return this.#modify(value, modifier, path, end);
    }
    if (first === "!") return this.#literal(path);
    if (first === "{" || first === "[") return this.#multi(value, path);
    if (Array.isArray(value)) return this.#inArray(value, path);
    return isObject(value) ? this.#inObject(value, path) : undefined;
  }

  /** Account for a value as it would be written down. */
  measure(value: unknown): void {
    this.#spend(1);
    if (typeof value === "string") this.#spend(value.length >> 3);
    else if (typeof value === "object" && value !== null) for (const item of Object.values(value)) this.measure(item);
  }

  /** What follows a component: nothing, or the rest of the path within what was found. */
  #rest(value: unknown, path: string, end: number): unknown {
    return end >= path.length ? value : this.get(value, path.slice(end + 1));
  }

  #inObject(value: JsonObject, path: string): unknown {
    const end = componentEnd(path);
    const tokens = keyTokens(path.slice(0, end));
    const plain = plainKey(tokens);
    if (plain !== undefined) return Object.hasOwn(value, plain) ? this.#rest(value[plain], path, end) : undefined;
    this.#spend(Object.keys(value).length);
    const key = Object.keys(value).find((name) => matchesTokens(name, tokens));
    return key === undefined ? undefined : this.#rest(value[key], path, end);
  }

  #inArray(list: unknown[], path: string): unknown {
    if (path[0] === "#") return this.#inEach(list, path);
    const end = componentEnd(path);
    const index = path.slice(0, end);
    return /^\d+$/.test(index) ? this.#rest(list[Number(index)], path, end) : undefined;
  }

  #inEach(list: unknown[], path: string): unknown {
    if (path[1] === "(" || path[1] === "[") return this.#query(list, path);
    if (path.length === 1) return list.length;
    if (path[1] === "|") return this.get(list.length, path.slice(2));
    return path[1] === "." ? this.#collect(list, path.slice(2)) : undefined;
  }

  /** Apply the path up to the next pipe to every element, then what follows the pipe to the list of all. */
  #collect(list: unknown[], path: string): unknown {
    const end = findOutside(path, "|");
    const each = path.slice(0, end);
    const found = list.map((item) => this.get(item, each)).filter((item) => item !== undefined);
    return this.#rest(found, path, end);
  }

  #query(list: unknown[], path: string): unknown {
    const end = endOfGroup(path, 1);
    if (end < 0) return undefined;
    const query = parseQuery(path.slice(2, end - 1));
    const meets = (item: unknown) => meetsQuery(query, query.path === "" ? item : this.get(item, query.path));
    this.#spend(list.length);
    if (path[end] !== "#") return this.#rest(list.find(meets), path, end);
    const all = list.filter(meets);
    const after = end + 1;
    if (path[after] === ".") return this.#collect(all, path.slice(after + 1));
    return this.#rest(all, path, after);
  }

  #modify(value: unknown, modifier: Modifier, path: string, end: number): unknown {
    const hasArgument = path[end] === ":";
    const argumentEnd = hasArgument ? endOfArgument(path, end + 1) : end;
    const argument = hasArgument ? path.slice(end + 1, argumentEnd) : undefined;
    const changed = modifier(value, { argument, spend: (values) => this.#spend(values) });
    return changed === undefined ? undefined : this.#rest(changed, path, argumentEnd);
  }

  /** `!"text"`, `!5`, `!true`: a value that the path itself holds. */
  #literal(path: string): unknown {
    const end = path[1] === '"' ? endOfString(path, 1) : findOutside(path, ".|", 1);
    try {
      return this.#rest(JSON.parse(path.slice(1, end)), path, end);
    } catch {
      return undefined;
    }
  }

  /** `{a,b}` and `[a,b]`: several paths at once, as an object or a list. */
  #multi(value: unknown, path: string): unknown {
    const end = endOfGroup(path, 0);
    if (end < 0) return undefined;
    const found = selectors(path.slice(1, end - 1)).map(({ key, path: each }) => ({
      key,
      item: this.get(value, each),
    }));
    const present = found.filter(({ item }) => item !== undefined);
    const whole =
      path[0] === "["
        ? present.map(({ item }) => item)
        : Object.fromEntries(present.map(({ key, item }) => [key, item]));
    return this.#rest(whole, path, end);
  }

  #spend(values: number): void {
    this.#budget.steps -= values;
    if (this.#budget.steps < 0) throw new RangeError(`More than ${maxSteps} values are visited`);
  }
}

/** End of what looks like a modifier's name at the start of a path; 0 where nothing does. */
function modifierEnd(path: string): number {
  return /^@[a-zA-Z_][\w-]*(?=$|[.|:])/.exec(path)?.[0].length ?? 0;
}

function endOfArgument(path: string, start: number): number {
  const first = path[start];
  if (first === "{" || first === "[" || first === "(") return Math.max(endOfGroup(path, start), start);
  return first === '"' ? endOfString(path, start) : findOutside(path, "|", start);
}

function componentEnd(path: string): number {
  for (let at = 0; at < path.length; at++) {
    const c = path[at];
    if (c === "\\") at++;
    else if (c === "." || c === "|") return at;
  }
  return path.length;
}

function selectors(text: string): { key: string; path: string }[] {
  const found: { key: string; path: string }[] = [];
  for (let at = 0; at < text.length; ) {
    const end = findOutside(text, ",", at);
    found.push(selector(text.slice(at, end).trim()));
    at = end + 1;
  }
  return found;
}

function selector(text: string): { key: string; path: string } {
  if (text.startsWith('"')) {
    const end = endOfString(text, 0);
    if (text[end] === ":") return { key: text.slice(1, end - 1), path: text.slice(end + 1) };
  }
  const named = /^([\w-]+):(.*)$/s.exec(text);
  if (named !== null) return { key: named[1] ?? "", path: named[2] ?? "" };
  const last = /(?:^|[.|])([^.|]*)$/.exec(text)?.[1] ?? "";
  return { key: /^[\w@-]+$/.test(last) ? last : "_", path: text };
}
