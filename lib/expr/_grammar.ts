/** How tightly an operator between two operands binds, the strongest highest. */
export const binaryStrength: Readonly<Record<string, number>> = {
  "|": 0,
  or: 10,
  "||": 10,
  and: 15,
  "&&": 15,
  "==": 20,
  "!=": 20,
  "<": 20,
  ">": 20,
  "<=": 20,
  ">=": 20,
  in: 20,
  matches: 20,
  contains: 20,
  startsWith: 20,
  endsWith: 20,
  "..": 25,
  "+": 30,
  "-": 30,
  "*": 60,
  "/": 60,
  "%": 60,
  "**": 100,
  "^": 100,
  "??": 500,
};

/** How tightly an operator in front of its operand binds. */
export const unaryStrength: Readonly<Record<string, number>> = { not: 50, "!": 50, "-": 90, "+": 90 };

/** Operators that group from the right. */
export const groupsRight: ReadonlySet<string> = new Set(["**", "^"]);

/** Operators that may stand in a row: `1 < x < 9`. */
export const comparisons: ReadonlySet<string> = new Set(["<", ">", "<=", ">="]);

/** Operators that may follow a `not`. */
export const negatable: ReadonlySet<string> = new Set(["in", "matches", "contains", "startsWith", "endsWith"]);

/** Functions that apply an expression to each element, with the number of arguments: at least, at most. */
export const predicateFunctions: Readonly<Record<string, readonly [number, number]>> = {
  all: [2, 2],
  any: [2, 2],
  none: [2, 2],
  one: [2, 2],
  filter: [2, 2],
  map: [2, 2],
  count: [1, 2],
  sum: [1, 2],
  find: [2, 2],
  findIndex: [2, 2],
  findLast: [2, 2],
  findLastIndex: [2, 2],
  groupBy: [2, 2],
  sortBy: [2, 3],
  reduce: [2, 3],
};

/** How many arguments a predicate function takes; undefined for another name. */
export function predicateArity(name: string): readonly [number, number] | undefined {
  return Object.hasOwn(predicateFunctions, name) ? predicateFunctions[name] : undefined;
}
