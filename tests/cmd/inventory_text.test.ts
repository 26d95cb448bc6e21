import { expect, test } from "bun:test";
import { inventoryText } from "../../cmd/choria/inventory/text.ts";
import { createPaint } from "../../lib/cli/mod.ts";

test("an inventory names the machines of a node, however its server lists them", () => {
  const list = [
    { name: "facts", version: "1.0.0", state: "GATHER" },
    { name: "check", version: "2.0.0", state: "OK" },
  ];
  for (const machines of [list, { a: list[0], b: list[1] }]) {
    const text = inventoryText("n1", { machines }, {}, createPaint(false));
    expect(text).toContain("Autonomous Agents:\n\n    check    2.0.0    OK\n    facts    1.0.0    GATHER\n");
  }
});
