import type { Term } from "./ast.ts";
import { RegoError } from "./errors.ts";
import { parseQuery } from "./parser.ts";
import { RegoObject, RegoSet, type RegoValue } from "./values.ts";

/**
 * The value of a ground term as policies write it, such as `{"a", 1}`.
 *
 * @throws RegoError when the text is no term or has variables in it.
 */
export function parseTerm(text: string): RegoValue {
  const [expr] = parseQuery(text);
  if (expr === undefined || expr.kind.k !== "term")
    throw RegoError.at("rego_parse_error", "not a term", { filename: "term", row: 1, col: 1 });
  return ground(expr.kind.term);
}

function ground(term: Term): RegoValue {
  switch (term.t) {
    case "scalar":
      return term.value;
    case "array":
      return term.items.map(ground);
    case "set":
      return RegoSet.of(term.items.map(ground));
    case "object":
      return RegoObject.of(term.pairs.map(([key, value]) => [ground(key), ground(value)] as const));
    default:
      throw RegoError.at("rego_parse_error", "not a ground term", term.at);
  }
}
