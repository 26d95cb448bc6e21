import { expect, test } from "bun:test";
import { matchesNode } from "../../../lib/machine/mod.ts";
import { errorText } from "../../../lib/std/mod.ts";
import golden from "../../fixtures/machines/matcher.json";

const node = { identity: golden.identity, facts: golden.facts };

test.each(golden.cases)("$matcher", ({ matcher, match, error }) => {
  if (error === undefined) expect(matchesNode(matcher, node)).toBe(match);
  else expect(reasonOf(matcher)).toContain(error.split("\n")[0] ?? error);
});

test.each(["a".repeat(20_000), "all(1..1000000, all(1..1000000, true))", "identity(1)", "", "has_file('/a\\u0000b')"])(
  "%.30p ends soon",
  (matcher) => {
    try {
      matchesNode(matcher, node);
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
  },
);

function reasonOf(matcher: string): string {
  try {
    return `no error but ${matchesNode(matcher, node)}`;
  } catch (error) {
    return errorText(error);
  }
}
