import { statSync } from "node:fs";
import { compileExpr, type ExprSignature, lookup } from "../../expr/mod.ts";
import { compileRe2 } from "../../re2/mod.ts";
import type { JsonObject } from "../../std/mod.ts";

/** What matchers ask about. */
export interface MatchedNode {
  identity: string;
  facts: JsonObject;
}

const functions: Readonly<Record<string, ExprSignature>> = {
  identity: { parameters: ["string"], returns: "bool" },
  get_fact: { parameters: ["string"] },
  has_file: { parameters: ["string"], returns: "bool" },
  has_directory: { parameters: ["string"], returns: "bool" },
  has_command: { parameters: ["string"], returns: "bool" },
};

/** Longest matcher, in characters. */
const maxLength = 16_384;

/**
 * Whether a plugin is meant for a node. A matcher is an expression over `identity(REGEX)`, `get_fact(GJSON)`,
 * `has_file(PATH)`, `has_directory(PATH)` and `has_command(NAME)`; an empty one holds everywhere.
 *
 * @throws {ExprError} when it cannot be read, has no answer, or asks for too much.
 */
export function matchesNode(matcher: string, { identity, facts }: MatchedNode): boolean {
  if (matcher === "") return true;
  if (matcher.length > maxLength) throw new RangeError(`the matcher is longer than ${maxLength} characters`);
  return compileExpr(matcher, { functions, boolean: true }).test({
    identity: (regex: string) => matchesRegex(regex, identity),
    get_fact: (path: string) => lookup(facts, path) ?? null,
    has_file: (path: string) => kindOf(path) !== "nothing",
    has_directory: (path: string) => kindOf(path) === "folder",
    has_command: (name: string) => Bun.which(name) !== null,
  });
}

function matchesRegex(regex: string, text: string): boolean {
  try {
    return compileRe2(regex).test(text);
  } catch {
    return false;
  }
}

function kindOf(path: string): "nothing" | "folder" | "other" {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return "nothing";
    return found.isDirectory() ? "folder" : "other";
  } catch {
    return "nothing";
  }
}
