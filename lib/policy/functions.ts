import { type Filter, parseFactFilter } from "../protocol/mod.ts";
import type { PolicyFunction } from "./engine.ts";

/**
 * The functions by which a policy asks for which nodes a request is meant: `requires_filter()`,
 * `requires_fact_filter("country=mt")`, `requires_class_filter("apache")` and `requires_identity_filter("node")`.
 *
 * A fact filter that cannot be read leaves its expression undefined.
 */
export function filterFunctions(filter: Filter): PolicyFunction[] {
  return [
    {
      name: "requires_filter",
      arity: 0,
      call: () => [filter.cf_class, filter.identity, filter.fact, filter.compound].some((list) => list.length > 0),
    },
    { name: "requires_fact_filter", arity: 1, call: ([text]) => hasFact(filter, requireText(text)) },
    { name: "requires_class_filter", arity: 1, call: ([name]) => filter.cf_class.includes(requireText(name)) },
    { name: "requires_identity_filter", arity: 1, call: ([name]) => filter.identity.includes(requireText(name)) },
  ];
}

function hasFact(filter: Filter, text: string): boolean {
  const wanted = parseFactFilter(text);
  return filter.fact.some(
    ({ fact, operator, value }) => fact === wanted.fact && operator === wanted.operator && value === wanted.value,
  );
}

function requireText(value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError(`Cannot look for the filter ${JSON.stringify(value)}: expected a string`);
}
